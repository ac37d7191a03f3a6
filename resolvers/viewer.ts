import type { Context, Principal } from '../context.ts';
import type { KeyLimits } from '../core/contracts/api-key-store.ts';

export function viewer({ principal }: Context) {
  return principal;
}

export function usageReport(
  { since }: { readonly since?: Date | null | undefined },
  { services, principal, signal }: Context,
) {
  return services.usage.report(principal.tenant, since ?? null, signal);
}

/** The process has a bound on runs, which holds for every key. */
export function callerLimits({ limits }: Principal, { services }: Context): KeyLimits {
  const { maxRuns } = services.limits;
  return { ...limits, maxConcurrentRuns: Math.min(limits.maxConcurrentRuns ?? maxRuns, maxRuns) };
}
