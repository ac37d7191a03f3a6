import type { Context } from '../context.ts';

export function viewer({ principal }: Context) {
  return principal;
}

export function usageReport(
  { since }: { readonly since?: Date | null | undefined },
  { services, principal, signal }: Context,
) {
  return services.usage.report(principal.tenant, since ?? null, signal);
}

export interface CallerLimits {
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
  readonly budgetUsdPerDay: number | null;
  readonly maxConcurrentRuns: number | null;
}

/** Of a gateway without keys: the process has a bound on runs, nothing is limited per caller. */
export function callerLimits({ services }: Context): CallerLimits {
  return {
    requestsPerMinute: null,
    tokensPerMinute: null,
    budgetUsdPerDay: null,
    maxConcurrentRuns: services.limits.maxRuns,
  };
}
