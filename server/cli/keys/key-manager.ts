import type { KeyLimits, Scope } from '../../../core/contracts/api-key-store.ts';

/** A key as the command line shows it. */
export interface ShownKey {
  readonly name: string;
  readonly prefix: string;
  readonly tenant: string;
  readonly scopes: readonly string[];
  readonly limits: KeyLimits;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly lastUsedAt: string | null;
  readonly revokedAt: string | null;
}

export interface KeyWish {
  readonly name: string;
  /** Null: that of the keeper. */
  readonly tenant: string | null;
  readonly scopes: readonly Scope[];
  readonly limits: KeyLimits;
  readonly allowUnknownPrice: boolean;
  readonly expiresAt: Date | null;
}

/** Where keys are made: at the database itself, or through a gateway that runs. */
export interface KeyManager extends AsyncDisposable {
  create(wish: KeyWish): Promise<{ readonly key: ShownKey; readonly secret: string }>;
  /** All of one tenant, newest first. */
  list(tenant: string | null): AsyncIterable<ShownKey>;
  /** False: it was revoked already. CommandError when there is none. */
  revoke(prefix: string, tenant: string | null): Promise<boolean>;
}
