import type { KeyLimits, Scope } from './core/contracts/api-key-store.ts';
import type { CallOptions } from './core/models/models.ts';
import type { Services } from './core/services.ts';
import type { Loaders } from './loaders/index.ts';

/** Who is calling. */
export interface Principal {
  readonly tenant: string;
  /** Null in open mode, and of the static key. */
  readonly keyId: string | null;
  /** Null in open mode. */
  readonly keyName: string | null;
  readonly scopes: readonly Scope[];
  readonly limits: KeyLimits;
  /** Whether a budget may be spent on models whose price nobody knows. */
  readonly allowUnknownPrice: boolean;
}

/** What a resolver is given, the same on HTTP, SSE and WebSocket. */
export interface Context {
  readonly principal: Principal;
  readonly services: Services;
  readonly loaders: Loaders;
  /** Fires when the operation is cancelled or its connection closes; reaches the provider and the SQL. */
  readonly signal: AbortSignal;
  /** Tenant, signal and meter of this operation's own model calls. */
  readonly call: CallOptions;
  readonly requestId: string;
}
