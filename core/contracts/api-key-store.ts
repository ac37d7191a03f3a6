import type { Page, Slice } from './page.ts';

/** What a key may be allowed to do. ADMIN: keys and limits of its own tenant. OPERATOR: of every tenant. */
export const scopes = ['SEARCH', 'CHAT', 'AGENT', 'INGEST', 'RECOMMEND', 'ADMIN', 'OPERATOR'] as const;
export type Scope = (typeof scopes)[number];

/** What a key may use; null: not limited. */
export interface KeyLimits {
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
  readonly budgetUsdPerDay: number | null;
  readonly maxConcurrentRuns: number | null;
}

export const unlimited: KeyLimits = {
  requestsPerMinute: null,
  tokensPerMinute: null,
  budgetUsdPerDay: null,
  maxConcurrentRuns: null,
};

export interface NewApiKey {
  readonly id: string;
  readonly tenant: string;
  /** For people; unique among the tenant's keys that are not revoked. */
  readonly name: string;
  /** Unique over all tenants. No secret: it names the key in lists and logs. */
  readonly prefix: string;
  /** SHA-256 of the whole secret, in base64url. */
  readonly hash: string;
  readonly scopes: readonly Scope[];
  readonly limits: KeyLimits;
  /** Whether a key with a budget may use models whose price nobody knows. */
  readonly allowUnknownPrice: boolean;
  readonly expiresAt: Date | null;
}

/** Nothing of a key changes after it was created but its last use and its revocation. */
export interface ApiKeyRecord extends Omit<NewApiKey, 'hash'> {
  readonly createdAt: Date;
  /** To the minute or so. */
  readonly lastUsedAt: Date | null;
  readonly revokedAt: Date | null;
}

/** A key with what its secret is compared to. */
export interface StoredApiKey extends ApiKeyRecord {
  readonly hash: string;
}

export interface KeyUse {
  readonly tenant: string;
  readonly id: string;
  readonly at: Date;
}

/** API keys. Revoked and expired ones stay: what they did names them. */
export interface ApiKeyStore {
  /** CONFLICT when the tenant has a key of this name that is not revoked. */
  create(key: NewApiKey): Promise<ApiKeyRecord>;
  /** Of every tenant, revoked and expired ones too: a caller's tenant is only known from the key. In no particular order. */
  byPrefixes(prefixes: readonly string[]): Promise<readonly StoredApiKey[]>;
  byIds(tenant: string, ids: readonly string[], signal?: AbortSignal): Promise<readonly ApiKeyRecord[]>;
  /** Newest first. */
  list(tenant: string, page: Page, signal?: AbortSignal): Promise<Slice<ApiKeyRecord>>;
  /** The key, and whether it was revoked by this call; null when there is none. `tenant` null: of any tenant. */
  revoke(
    tenant: string | null,
    id: string,
  ): Promise<{ readonly key: ApiKeyRecord; readonly revokedNow: boolean } | null>;
  /** Writes when keys were last used; an earlier time than the stored one changes nothing. */
  used(uses: readonly KeyUse[]): Promise<void>;
  /** Whether there is, or ever was, a key of any tenant. */
  any(): Promise<boolean>;
}
