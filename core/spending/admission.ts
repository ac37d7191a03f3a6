import type { Caller } from '../access/caller.ts';
import type { RateLimiter } from '../contracts/rate-limiter.ts';
import type { Payers } from './payers.ts';
import { takeRate } from './rates.ts';

/**
 * Counts one operation against the requests per minute of its key and tenant. Rejects with RATE_LIMITED and retryAfterMs. Null, and
 * at once: nobody limits it.
 */
export type Admit = (caller: Caller) => Promise<void> | null;

export function createAdmit(payers: Pick<Payers, 'of'>, rateLimiter: RateLimiter): Admit {
  return ({ tenant, keyId }) => {
    const found = payers.of(tenant, keyId);
    return !(found instanceof Promise) && found.length === 0 ? null : admit(tenant, found);
  };

  async function admit(tenant: string, payers: ReturnType<Payers['of']>): Promise<void> {
    await takeRate(rateLimiter, tenant, await payers, 'requestsPerMinute', () => 1);
  }
}
