import type { PlannedCall } from '../contracts/spending.ts';

type Price = NonNullable<PlannedCall['price']>;

interface Tokens {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
}

/** Billionths of a US dollar: whole numbers, so that sums of any order are equal and a budget of exactly n calls bears n. */
export function nanoDollars(usd: number): number {
  return Math.round(usd * 1e9);
}

/**
 * What tokens cost, rounded up. A price per million is taken to a millionth of a dollar, that is a trillionth per token: one token
 * of the cheapest models costs less than a nano-dollar's rounding would leave.
 */
export function costOf({ inputTokens, cachedInputTokens, outputTokens }: Tokens, price: Price): number {
  const pico =
    (inputTokens - cachedInputTokens) * picoPerToken(price.inputUsdPerMillion) +
    cachedInputTokens * picoPerToken(price.cachedInputUsdPerMillion) +
    outputTokens * picoPerToken(price.outputUsdPerMillion);
  return Math.ceil(pico / 1_000);
}

/** `$0.1234`: what people compare with their budget, to six places where there are so many. */
export function shownUsd(nano: number): string {
  const usd = nano / 1e9;
  return `$${usd !== 0 && Math.abs(usd) < 1e-6 ? usd.toExponential(1) : Number(usd.toFixed(6))}`;
}

const picoPerToken = (usdPerMillion: number): number => Math.round(usdPerMillion * 1e6);
