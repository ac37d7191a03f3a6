import type { IncomingMessage } from 'node:http';
import type { Config } from './config-schema.ts';
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
  // No address can be made of it, which what comes behind us takes for granted.
  if (host !== '' && !URL.canParse(`http://${host}`)) return false;
  if (isOpen && !isLoopback(hostnameOf(`http://${host}`))) return false;
  const { origin } = request.headers;
  if (origin === undefined) return true;
  if (allowedOrigins.includes(origin)) return true;
  return URL.canParse(origin) && (new URL(origin).host === host || isLoopback(hostnameOf(origin)));
}

function hostnameOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, '') : '';
}
