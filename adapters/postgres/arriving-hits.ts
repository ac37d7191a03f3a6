import type { IndexHit } from '../../core/contracts/search-index.ts';
import { type HitRow, hitOf } from './hit-rows.ts';

export interface PlacedHitRow extends HitRow {
  /** Among those of its query, from 1. */
  readonly place: number;
  /** How many rows its query has. */
  readonly count: number;
}

/**
 * The hits of many queries, whose rows may come in any order: those of each query are there when its last row is. Those that are whole last
 * are there when the statement has ended: nothing of it goes on when all have been answered.
 */
export class ArrivingHits {
  readonly #queries: readonly Arriving[];
  #open: number;

  constructor(count: number) {
    this.#queries = Array.from({ length: count }, () => ({ rows: [], hits: Promise.withResolvers() }));
    this.#open = count;
    // Whoever asked may have gone before it listens to all of them.
    for (const { hits } of this.#queries) hits.promise.catch(() => {});
  }

  ofEach(): Promise<readonly IndexHit[]>[] {
    return this.#queries.map(({ hits }) => hits.promise);
  }

  add(row: PlacedHitRow): void {
    const query = this.#queries[row.ordinal];
    if (query?.rows.push(row) !== row.count || this.#open === 1) return;
    this.#open -= 1;
    resolve(query);
  }

  end(): void {
    for (const query of this.#queries) resolve(query);
  }

  /** Of those that are not there. */
  fail(error: unknown): void {
    for (const { hits } of this.#queries) hits.reject(error);
  }
}

interface Arriving {
  readonly rows: PlacedHitRow[];
  readonly hits: PromiseWithResolvers<readonly IndexHit[]>;
}

function resolve({ rows, hits }: Arriving): void {
  hits.resolve(rows.sort((left, right) => left.place - right.place).map(hitOf));
}
