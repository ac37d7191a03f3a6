import type { IncomingMessage } from 'node:http';
import { LRUCache } from 'lru-cache';
import type { Config } from '../config/config-schema.ts';
import { isLoopback } from './loopback.ts';

export const originRefused = 'This origin or host may not call the gateway (allowedOrigins).';

/**
 * Whether a browser's page may talk to us. Requests without an Origin do not come from a page. A gateway that is
 * open also checks the Host header: a hostile name that resolves to 127.0.0.1 must not make it somebody's own server.
 */
export function allowsOrigin(
  request: IncomingMessage,
  { allowedOrigins }: Pick<Config, 'allowedOrigins'>,
  isOpen: boolean,
): boolean {
  const host = request.headers.host ?? '';
  const name = nameOf(host);
  if (name === null || (isOpen && !isLoopback(name))) return false;
  const { origin } = request.headers;
  if (origin === undefined) return true;
  if (allowedOrigins.includes(origin)) return true;
  return URL.canParse(origin) && (new URL(origin).host === host || isLoopback(hostnameOf(origin)));
}

/** Every request is asked for it, and names one of a few. */
const names = new LRUCache<string, { readonly name: string | null }>({ max: 100 });

/** Null: no address can be made of it, which what comes behind us takes for granted. */
function nameOf(host: string): string | null {
  const known = names.get(host);
  if (known !== undefined) return known.name;
  const url = `http://${host}`;
  const name = host !== '' && !URL.canParse(url) ? null : hostnameOf(url);
  names.set(host, { name });
  return name;
}

function hostnameOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, '') : '';
}
