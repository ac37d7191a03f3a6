import { GatewayError } from '../contracts/gateway-error.ts';
import type { RateLimiter } from '../contracts/rate-limiter.ts';
import type { Payer } from './payers.ts';

export type Rate = 'requestsPerMinute' | 'tokensPerMinute';

const nouns: Readonly<Record<Rate, string>> = { requestsPerMinute: 'requests', tokensPerMinute: 'tokens' };

/** So much of a rate, taken from all who pay; more can be taken, or some given back, when it is known what it really was. */
export interface Taken {
  readonly units: number;
  correct(units: number): void;
}

/** Takes from every payer that has this rate, or from none; RATE_LIMITED with retryAfterMs. Null: none of them has it. */
export async function takeRate(
  limiter: RateLimiter,
  tenant: string,
  payers: readonly Payer[],
  rate: Rate,
  units: () => number,
): Promise<Taken | null> {
  const limited = payers.flatMap(({ name, label, limits }) => {
    const perMinute = limits[rate];
    return perMinute === null ? [] : [{ label, perMinute, scope: `payer ${tenant}/${name}` }];
  });
  if (limited.length === 0) return null;
  const wanted = units();
  const correct = (of: typeof limited, by: number): void => {
    for (const { scope, perMinute } of of) limiter.adjust(scope, [{ name: rate, perMinute, units: by }]);
  };
  for (const [place, { label, perMinute, scope }] of limited.entries()) {
    const waitMs = await limiter.take(scope, [{ name: rate, perMinute, units: wanted }]);
    if (waitMs === 0) continue;
    correct(limited.slice(0, place), -wanted);
    throw new GatewayError(
      'RATE_LIMITED',
      `${label} may use ${perMinute} ${nouns[rate]} a minute (${rate}), and they are used up: try again in ${waitMs} ms.`,
      { retryable: true, details: { retryAfterMs: waitMs, limit: perMinute } },
    );
  }
  return { units: wanted, correct: (by) => correct(limited, by) };
}
