import { createHash, timingSafeEqual } from 'node:crypto';
import type { Principal } from '../context.ts';
import type { KeyRing } from '../core/access/key-ring.ts';
import type { OpenMode } from '../core/access/open-mode.ts';
import { type ApiKeyRecord, scopes, unlimited } from '../core/contracts/api-key-store.ts';
import type { GatewayError } from '../core/contracts/gateway-error.ts';

/** Who may call, and for how long. */
export interface Access {
  /** Whoever reaches the gateway may call without a key. */
  readonly isOpen: boolean;
  /**
   * Who calls, from an Authorization header or a WebSocket's connectionParams; null: nobody we know. Rejects as retryable when
   * that cannot be found out now.
   */
  authenticate(authorization: string | null | undefined): Promise<Principal | null>;
  /** Until it is disposed, `onEnd` is called once when what the principal came in by opens nothing any more. */
  hold(principal: Principal, onEnd: (reason: GatewayError) => void): Disposable;
}

export interface AccessParts {
  /** The static key: every scope, and no limit. */
  readonly apiKey: string | undefined;
  readonly keyRing: Pick<KeyRing, 'authenticate' | 'hold'>;
  readonly openMode: Pick<OpenMode, 'isOpen' | 'hold'>;
}

const everybody = { tenant: 'default', keyId: null, scopes, limits: unlimited, allowUnknownPrice: true };
const anonymous: Principal = { ...everybody, keyName: null };
const keeperOfTheStaticKey: Principal = { ...everybody, keyName: 'SLUICE_API_KEY' };
const nothing: Disposable = { [Symbol.dispose]: () => {} };

export function createAccess({ apiKey, keyRing, openMode }: AccessParts): Access {
  const expected = apiKey === undefined ? null : digest(apiKey);
  /** Of the principals that came in by a key, until they are forgotten themselves. */
  const keys = new WeakMap<Principal, ApiKeyRecord>();

  return {
    get isOpen() {
      return openMode.isOpen;
    },

    async authenticate(authorization) {
      if (openMode.isOpen) return anonymous;
      const [, token] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? [];
      if (token === undefined) return null;
      // Digests have one length, so the comparison takes the same time whatever was sent.
      if (expected !== null && timingSafeEqual(digest(token), expected)) return keeperOfTheStaticKey;
      const key = await keyRing.authenticate(token);
      if (key === null) return null;
      const principal = principalOf(key);
      keys.set(principal, key);
      return principal;
    },

    hold(principal, onEnd) {
      if (principal === anonymous) return openMode.hold(onEnd);
      const key = keys.get(principal);
      return key === undefined ? nothing : keyRing.hold(key, onEnd);
    },
  };
}

/** `{"authorization": "Bearer …"}`, in whatever case the client writes header names. */
export function authorizationOf(connectionParams: Readonly<Record<string, unknown>> | undefined): string | null {
  const [, value] =
    Object.entries(connectionParams ?? {}).find(([name]) => name.toLowerCase() === 'authorization') ?? [];
  return typeof value === 'string' ? value : null;
}

function principalOf({ id, tenant, name, scopes: granted, limits, allowUnknownPrice }: ApiKeyRecord): Principal {
  return { tenant, keyId: id, keyName: name, scopes: granted, limits, allowUnknownPrice };
}

const digest = (value: string): Buffer => createHash('sha256').update(value).digest();
