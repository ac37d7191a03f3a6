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
