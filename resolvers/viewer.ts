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

/** The tighter of what the key and its tenant may use. The process has a bound on runs, which holds for everybody. */
export function callerLimits({ limits, tenant }: Principal, { services }: Context): KeyLimits {
  const shared = services.tenantLimits(tenant);
  const tighter = (limit: keyof KeyLimits): number | null => least(limits[limit], shared?.[limit] ?? null);
  return {
    requestsPerMinute: tighter('requestsPerMinute'),
    tokensPerMinute: tighter('tokensPerMinute'),
    budgetUsdPerDay: tighter('budgetUsdPerDay'),
    maxConcurrentRuns: least(tighter('maxConcurrentRuns'), services.limits.maxRuns),
  };
}

function least(...bounds: readonly (number | null)[]): number | null {
  const known = bounds.filter((bound) => bound !== null);
  return known.length === 0 ? null : Math.min(...known);
}
