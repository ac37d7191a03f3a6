import type { Caller } from '../access/caller.ts';
import type { RateLimiter } from '../contracts/rate-limiter.ts';
import type { Payers } from './payers.ts';
import { takeRate } from './rates.ts';

/** Counts one operation against the requests per minute of its key and tenant. Rejects with RATE_LIMITED and retryAfterMs. */
export type Admit = (caller: Caller) => Promise<void>;

export function createAdmit(payers: Pick<Payers, 'of'>, rateLimiter: RateLimiter): Admit {
  return async ({ tenant, keyId }) => {
    const limited = payers.of(tenant, keyId);
    const found = limited instanceof Promise ? await limited : limited;
    if (found.length > 0) await takeRate(rateLimiter, tenant, found, 'requestsPerMinute', () => 1);
  };
}
