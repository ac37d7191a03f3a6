import { GatewayError } from '../core/contracts/gateway-error.ts';
import type { BelowSearches } from './below-searches.ts';

/** What every loader of one request shares. */
export interface LoaderScope {
  readonly tenant: string;
  readonly signal: AbortSignal;
}

/** Of a loader of what stands below the results of searches. */
export interface ScopeBelowSearches extends LoaderScope {
  readonly belowSearches: BelowSearches;
}

/** Results in key order, an Error per missing key: what DataLoader asks of a batch. */
export function inKeyOrder<K, T>(
  keys: readonly K[],
  found: readonly T[],
  keyOf: (item: T) => K,
  kind: string,
): (T | Error)[] {
  const byKey = new Map(found.map((item) => [keyOf(item), item]));
  return keys.map((key) => byKey.get(key) ?? new GatewayError('NOT_FOUND', `There is no ${kind} ${String(key)}.`));
}

/** Splits a batch into runs of one argument set each: one statement per set, whatever the number of parents. */
export async function byArguments<K extends { readonly parentId: string }, T>(
  keys: readonly K[],
  argumentsOf: (key: K) => string,
  load: (parentIds: readonly string[], sample: K) => Promise<readonly T[]>,
): Promise<(T | Error)[]> {
  const results = new Map<K, T | Error>();
  await Promise.all(
    [...Map.groupBy(keys, argumentsOf).values()].map(async (group) => {
      const [sample] = group;
      if (sample === undefined) return;
      try {
        const loaded = await load(
          group.map((key) => key.parentId),
          sample,
        );
        for (const [index, key] of group.entries()) {
          results.set(key, loaded[index] ?? new Error('a batch came back short'));
        }
      } catch (error) {
        for (const key of group) results.set(key, error instanceof Error ? error : new Error(String(error)));
      }
    }),
  );
  return keys.map((key) => results.get(key) ?? new Error('a batch came back short'));
}
