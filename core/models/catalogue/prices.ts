import type { Price } from '../usage/usage-meter.ts';

type PerMillion = readonly [input: number, cachedInput: number, output: number];

/**
 * OpenAI's list prices as published in 2025, in US dollars per million tokens; a price in the configuration goes before.
 * Not taken from gpt-tokenizer's table: there, many models carry a placeholder (gpt-4o, gpt-4.1 and gpt-5 all 10 and 30), and
 * the default models none. A model that is not here has no known price, and what it cost is null.
 */
const listPrices: Readonly<Record<string, PerMillion>> = {
  'gpt-3.5-turbo': [0.5, 0.5, 1.5],
  'gpt-4': [30, 30, 60],
  'gpt-4-turbo': [10, 10, 30],
  'gpt-4o': [2.5, 1.25, 10],
  'gpt-4o-2024-05-13': [5, 5, 15],
  'gpt-4o-mini': [0.15, 0.075, 0.6],
  'gpt-4.1': [2, 0.5, 8],
  'gpt-4.1-mini': [0.4, 0.1, 1.6],
  'gpt-4.1-nano': [0.1, 0.025, 0.4],
  'gpt-5': [1.25, 0.125, 10],
  'gpt-5-mini': [0.25, 0.025, 2],
  'gpt-5-nano': [0.05, 0.005, 0.4],
  'gpt-5.1': [1.25, 0.125, 10],
  o1: [15, 7.5, 60],
  o3: [2, 0.5, 8],
  'o3-mini': [1.1, 0.55, 4.4],
  'o4-mini': [1.1, 0.275, 4.4],
  'text-embedding-3-small': [0.02, 0.02, 0],
  'text-embedding-3-large': [0.13, 0.13, 0],
  'text-embedding-ada-002': [0.1, 0.1, 0],
};

const prices: ReadonlyMap<string, PerMillion> = new Map(Object.entries(listPrices));

/** Models that run in this process. */
export const free: Price = { inputUsdPerMillion: 0, cachedInputUsdPerMillion: 0, outputUsdPerMillion: 0 };

/** A dated snapshot (`gpt-4o-mini-2024-07-18`) costs what its model does, unless it is listed itself. */
export function listPrice(name: string): Price | null {
  const price = prices.get(name) ?? prices.get(name.replace(/-\d{4}-\d{2}-\d{2}$/, ''));
  if (price === undefined) return null;
  const [inputUsdPerMillion, cachedInputUsdPerMillion, outputUsdPerMillion] = price;
  return { inputUsdPerMillion, cachedInputUsdPerMillion, outputUsdPerMillion };
}

export function configuredPrice(model: {
  readonly inputUsdPerMillion?: number | undefined;
  readonly cachedInputUsdPerMillion?: number | undefined;
  readonly outputUsdPerMillion?: number | undefined;
}): Price | null {
  if (model.inputUsdPerMillion === undefined) return null;
  return {
    inputUsdPerMillion: model.inputUsdPerMillion,
    cachedInputUsdPerMillion: model.cachedInputUsdPerMillion ?? model.inputUsdPerMillion,
    outputUsdPerMillion: model.outputUsdPerMillion ?? 0,
  };
}
