import type { RateLimiter } from '../contracts/rate-limiter.ts';
import type { PlannedCall, Reservation, Spending } from '../contracts/spending.ts';
import { usualOutputTokens } from '../models/catalogue/usual-sizes.ts';
import { type DollarHold, holdDollars } from './dollars.ts';
import type { Holds } from './holds.ts';
import { costOf } from './nano-dollars.ts';
import type { Payer, Payers } from './payers.ts';
import { type Taken, takeRate } from './rates.ts';

export interface SpendingParts {
  readonly payers: Pick<Payers, 'of'>;
  readonly holds: Pick<Holds, 'take'>;
  readonly rateLimiter: RateLimiter;
}

/** The gate in front of provider calls. Callers without a limit pass it at once: nothing is counted, nothing is asked. */
export function createSpending(parts: SpendingParts): Spending {
  return {
    reserve(call, signal) {
      const payers = parts.payers.of(call.tenant, call.payer);
      if (!(payers instanceof Promise)) return payers.length === 0 ? null : reserve(parts, payers, call, signal);
      return payers.then((found) => (found.length === 0 ? null : reserve(parts, found, call, signal)));
    },
  };
}

async function reserve(
  { rateLimiter, holds }: SpendingParts,
  payers: readonly Payer[],
  call: PlannedCall,
  signal: AbortSignal,
): Promise<Reservation | null> {
  const tokens = await takeRate(rateLimiter, call.tenant, payers, 'tokensPerMinute', () => {
    const output = call.maxOutputTokens ?? Math.min(call.modelMaxOutputTokens ?? usualOutputTokens, usualOutputTokens);
    return call.inputTokens + output * call.choices;
  });
  try {
    const dollars = await holdDollars(holds, payers, call, signal);
    return tokens === null && dollars === null ? null : reservationOf(call, tokens, dollars);
  } catch (error) {
    tokens?.correct(-tokens.units);
    throw error;
  }
}

function reservationOf({ price }: PlannedCall, tokens: Taken | null, dollars: DollarHold | null): Reservation {
  let isSettled = false;
  return {
    maxOutputTokens: dollars?.maxOutputTokens ?? null,
    settle(usage) {
      if (isSettled) return;
      isSettled = true;
      const used = usage ?? { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0 };
      tokens?.correct(used.inputTokens + used.outputTokens - tokens.units);
      dollars?.settle(price === null ? 0 : costOf(used, price));
    },
  };
}
