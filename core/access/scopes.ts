import type { Scope } from '../contracts/api-key-store.ts';
import { GatewayError } from '../contracts/gateway-error.ts';
import type { RunKind } from '../contracts/run-event.ts';

/** Whoever has scopes: the caller of an operation. */
export interface ScopeHolder {
  readonly scopes: readonly Scope[];
}

/** A run needs the scope of its kind. */
const scopeOf: Readonly<Record<RunKind, Scope>> = { CHAT: 'CHAT', AGENT: 'AGENT', INGEST: 'INGEST' };
const runKinds = Object.keys(scopeOf) as readonly RunKind[]; // its keys are just these
/** Whoever has one of these may see runs of some kind. */
export const runScopes: readonly Scope[] = Object.values(scopeOf);

/** FORBIDDEN that names what is missing. */
export function missingScope(needed: readonly Scope[]): GatewayError {
  const [only] = needed;
  const what = needed.length === 1 ? `the scope ${only}` : `one of the scopes ${needed.join(', ')}`;
  return new GatewayError('FORBIDDEN', `This needs ${what}, which the API key does not have.`);
}

export function hasOneOf({ scopes }: ScopeHolder, needed: readonly Scope[]): boolean {
  return needed.some((scope) => scopes.includes(scope));
}

export function assertOneOf(holder: ScopeHolder, needed: readonly Scope[]): void {
  if (!hasOneOf(holder, needed)) throw missingScope(needed);
}

/** The kinds of run that the holder may see, null: all of them. */
export function visibleKinds({ scopes }: ScopeHolder): readonly RunKind[] | null {
  const visible = runKinds.filter((kind) => scopes.includes(scopeOf[kind]));
  return visible.length === runKinds.length ? null : visible;
}

export function assertSeesKind(holder: ScopeHolder, kind: RunKind): void {
  assertOneOf(holder, [scopeOf[kind]]);
}
