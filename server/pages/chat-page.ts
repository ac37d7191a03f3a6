import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { makePage, type Page } from './page.ts';

export const chatPagePath = '/chat';
/** The modules of graphql-ws for browsers: the page's only library, and any other page's that talks to the gateway. */
export const socketClientPath = '/graphql-ws/';

/** Nothing from elsewhere, and nothing that a reply may say can run. */
const policy =
  "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const pages = new Map<string, Promise<Page>>();

/** The page of a path, null where there is none. */
export async function chatPage(path: string): Promise<Page | null> {
  const file = path === chatPagePath ? exampleFile : path.startsWith(socketClientPath) ? moduleFile(path) : null;
  if (file === null) return null;
  const page = pages.get(path) ?? load(file);
  pages.set(path, page);
  try {
    return await page;
  } catch {
    // No such module, or an installation without the examples: nothing is kept of it.
    pages.delete(path);
    return null;
  }
}

const exampleFile = join(import.meta.dirname, '../../examples/chat.html');

function load(file: string): Promise<Page> {
  const text = readFile(file, 'utf8');
  return file === exampleFile
    ? text.then((html) => makePage('text/html', html, { 'Content-Security-Policy': policy }))
    : text.then((source) => makePage('text/javascript', source));
}

/** `client.js`, and what it imports beside it. */
function moduleFile(path: string): string | null {
  const name = path.slice(socketClientPath.length);
  if (name !== basename(name) || !/^(?:client|common-[\w-]+)\.js$/.test(name)) return null;
  return join(dirname(createRequire(import.meta.url).resolve('graphql-ws')), name);
}
