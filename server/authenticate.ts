import { createHash, timingSafeEqual } from 'node:crypto';
import type { Principal } from '../context.ts';

/** Who calls, from an Authorization header or a WebSocket's connectionParams; null: nobody we know. */
export type Authenticate = (authorization: string | null | undefined) => Principal | null;

const everyScope: Principal['scopes'] = ['SEARCH', 'CHAT', 'AGENT', 'INGEST', 'RECOMMEND', 'ADMIN', 'OPERATOR'];

/** Without a key the gateway is open, as tenant `default`; with one, every operation needs it. */
export function createAuthenticate(apiKey: string | undefined): Authenticate {
  if (apiKey === undefined) return () => ({ tenant: 'default', keyId: null, keyName: null, scopes: everyScope });
  const expected = digest(apiKey);
  return (authorization) => {
    const [, token] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? [];
    // Digests have one length, so the comparison takes the same time whatever was sent.
    if (token === undefined || !timingSafeEqual(digest(token), expected)) return null;
    return { tenant: 'default', keyId: null, keyName: 'SLUICE_API_KEY', scopes: everyScope };
  };
}

/** `{"authorization": "Bearer …"}`, in whatever case the client writes header names. */
export function authorizationOf(connectionParams: Readonly<Record<string, unknown>> | undefined): string | null {
  const [, value] =
    Object.entries(connectionParams ?? {}).find(([name]) => name.toLowerCase() === 'authorization') ?? [];
  return typeof value === 'string' ? value : null;
}

const digest = (value: string): Buffer => createHash('sha256').update(value).digest();
