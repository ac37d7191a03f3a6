import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { graphqlPath } from './app.ts';
import { graphiqlTabs } from './graphiql-tabs.ts';

/** A person's browser. GraphiQL keeps the shown operation in `?query=`, so a reload of the page has one too. */
export function wantsGraphiql({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && (headers.accept ?? '').includes('text/html');
}

/**
 * GraphiQL leaves its tabs moved aside by their first animation, and hides that by a rule that ends with the focus: a tab
 * that is pressed jumps away from under the pointer, and the click is lost.
 */
const keepTabsInPlace = '<style>.graphiql-tab { transform: none !important; }</style>';

interface Page {
  readonly etag: string;
  readonly compressed: Buffer;
}

let page: Promise<Page> | undefined;

/** GraphiQL, whole in one page: it loads nothing from elsewhere. 9 MB, so it is made and compressed once. */
export async function graphiqlPage(request: IncomingMessage, response: ServerResponse): Promise<void> {
  page ??= makePage();
  const { etag, compressed } = await page;
  response.setHeader('ETag', etag);
  response.setHeader('Cache-Control', 'no-cache');
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304).end();
    return;
  }
  response.setHeader('Content-Type', 'text/html; charset=utf-8');
  response.setHeader('Content-Encoding', 'gzip');
  response.writeHead(200).end(compressed);
}

async function makePage(): Promise<Page> {
  // 50 MB of memory, and 0.1 s of a start, for gateways that nobody opens in a browser.
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  const html = renderGraphiQL({
    endpoint: graphqlPath,
    title: 'Sluice',
    defaultTabs: graphiqlTabs,
    subscriptionsProtocol: 'SSE',
    // Its default for subscriptions is GET, whose address has no room for a long message.
    method: 'POST',
  });
  const page = html.replace('</head>', `${keepTabsInPlace}</head>`);
  const compressed = await promisify(gzip)(page, { level: 6 });
  return { compressed, etag: `"${createHash('sha256').update(compressed).digest('base64url').slice(0, 22)}"` };
}
