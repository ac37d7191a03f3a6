import { AsyncLocalStorage } from 'node:async_hooks';
import type { Usage } from '../../../core/contracts/usage.ts';
import { UsageMeter } from '../../../core/models/usage/usage-meter.ts';

/** Who asks: a field by itself, or together with the others that the same loaders serve. */
export type Asking = 'alone' | 'shared';

/** What one response path used. Of a call that several shared, each has its part: calls may be fractions. */
export interface PathUsage {
  readonly calls: number;
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  /** US dollars; null: the price of a model is not known. */
  readonly costUsd: number | null;
  readonly estimated: boolean;
  readonly cacheHits: number;
  /** How long its provider calls waited for their turn, added up. */
  readonly queueMs: number;
}

export interface ReportResult extends PathUsage {
  readonly paths: Readonly<Record<string, PathUsage>>;
}

/** What is counted for one path, or for those that share. */
export class Tally {
  readonly meter: UsageMeter;
  cacheHits = 0;
  queueMs = 0;

  constructor(total: UsageMeter) {
    this.meter = new ForwardingMeter(total);
  }
}

/** The path that the running code works for, where somebody wants to know. */
export const reportScope = new AsyncLocalStorage<Tally>();

/** Counts what an operation uses, by the paths of its response. */
export class OperationReport {
  readonly #total = new UsageMeter();
  readonly #alone = new Map<string, Tally>();
  readonly #shared = new Tally(this.#total);
  readonly #sharing = new Set<string>();

  /** Of the loaders, and of whatever has no path of its own. */
  get sharedMeter(): UsageMeter {
    return this.#shared.meter;
  }

  tally(path: string, asking: Asking): Tally {
    if (asking === 'shared') {
      this.#sharing.add(path);
      return this.#shared;
    }
    const tally = this.#alone.get(path) ?? new Tally(this.#total);
    this.#alone.set(path, tally);
    return tally;
  }

  result(): ReportResult {
    const tallies = [this.#shared, ...this.#alone.values()];
    const sum = (of: (tally: Tally) => number) => tallies.reduce((total, tally) => total + of(tally), 0);
    const paths = new Map<string, PathUsage>();
    const sharing = this.#sharing.size === 0 && isUsed(this.#shared) ? [''] : [...this.#sharing];
    for (const path of sharing) paths.set(path, usageOf(this.#shared, 1 / sharing.length));
    for (const [path, tally] of this.#alone) paths.set(path, usageOf(tally, 1));
    return {
      ...shown(this.#total.usage, 1),
      cacheHits: sum(({ cacheHits }) => cacheHits),
      queueMs: rounded(sum(({ queueMs }) => queueMs)),
      paths: Object.fromEntries(paths),
    };
  }
}

class ForwardingMeter extends UsageMeter {
  readonly #onward: UsageMeter;

  constructor(onward: UsageMeter) {
    super();
    this.#onward = onward;
  }

  override addUsage(usage: Usage): void {
    super.addUsage(usage);
    this.#onward.addUsage(usage);
  }
}

function isUsed({ meter, cacheHits }: Tally): boolean {
  return meter.usage.calls > 0 || cacheHits > 0;
}

function usageOf({ meter, cacheHits, queueMs }: Tally, share: number): PathUsage {
  return {
    ...shown(meter.usage, share),
    cacheHits: rounded(cacheHits * share),
    queueMs: rounded(queueMs * share),
  };
}

function shown({ calls, inputTokens, cachedInputTokens, outputTokens, costUsd, estimated }: Usage, share: number) {
  return {
    calls: rounded(calls * share),
    inputTokens: rounded(inputTokens * share),
    cachedInputTokens: rounded(cachedInputTokens * share),
    outputTokens: rounded(outputTokens * share),
    costUsd: costUsd === null ? null : costUsd * share,
    estimated,
  };
}

const rounded = (value: number): number => Math.round(value * 1_000) / 1_000;
