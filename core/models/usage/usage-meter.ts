import type { TokenCount } from '../../contracts/model-provider.ts';
import type { Usage } from '../../contracts/usage.ts';

export const noUsage: Usage = {
  inputTokens: 0,
  cachedInputTokens: 0,
  outputTokens: 0,
  calls: 0,
  costUsd: 0,
  estimated: false,
};

/** US dollars per million tokens; null where the model has no known price. */
export interface Price {
  readonly inputUsdPerMillion: number;
  readonly cachedInputUsdPerMillion: number;
  readonly outputUsdPerMillion: number;
}

/** Sums what the calls of one run, or one operation, cost. */
export class UsageMeter {
  #usage: Usage = noUsage;

  get usage(): Usage {
    return this.#usage;
  }

  add(tokens: TokenCount, price: Price | null, estimated: boolean): void {
    this.addUsage(usageOf(tokens, price, estimated));
  }

  addUsage(other: Usage): void {
    const sum = this.#usage;
    this.#usage = {
      inputTokens: sum.inputTokens + other.inputTokens,
      cachedInputTokens: sum.cachedInputTokens + other.cachedInputTokens,
      outputTokens: sum.outputTokens + other.outputTokens,
      calls: sum.calls + other.calls,
      costUsd: sum.costUsd === null || other.costUsd === null ? null : sum.costUsd + other.costUsd,
      estimated: sum.estimated || other.estimated,
    };
  }
}

/** What one provider call cost. */
export function usageOf(tokens: TokenCount, price: Price | null, estimated: boolean): Usage {
  return { ...tokens, calls: 1, costUsd: costOf(tokens, price), estimated };
}

function costOf(tokens: TokenCount, price: Price | null): number | null {
  if (price === null) return null;
  const fresh = tokens.inputTokens - tokens.cachedInputTokens;
  return (
    (fresh * price.inputUsdPerMillion +
      tokens.cachedInputTokens * price.cachedInputUsdPerMillion +
      tokens.outputTokens * price.outputUsdPerMillion) /
    1_000_000
  );
}
