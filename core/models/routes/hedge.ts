import { pause } from '../calls/abortable.ts';
import { cancelled } from '../calls/call-bounds.ts';
import type { Job } from '../calls/job.ts';
import { RetryBudget } from '../targets/retry-budget.ts';
import type { Target } from '../targets/target.ts';
import type { HedgeOptions, RouteOptions } from './route-options.ts';

/** Bounds the hedges of each route to its share of calls: one may go ahead, further ones must be earned. */
export class HedgeBudgets {
  readonly #budgets = new Map<string, RetryBudget>();

  of({ name }: RouteOptions, { maxShare }: HedgeOptions): RetryBudget {
    const known = this.#budgets.get(name) ?? new RetryBudget({ share: maxShare, perMinute: 0 });
    this.#budgets.set(name, known);
    return known;
  }
}

export interface HedgedCall<T> {
  readonly job: Job;
  readonly targets: readonly Target[];
  readonly hedge: HedgeOptions;
  readonly budget: RetryBudget;
  answer(targets: readonly Target[], signal: AbortSignal): Promise<T>;
  /** Ends an answer that came too late, so that its cost is counted. */
  discard(answer: T): void;
}

/**
 * One call, and a second one beside it when the first is slow to begin: by the next target, or by the same one where there is no other.
 * Whichever begins first is kept, and the other is aborted; what it cost is counted as every call's that we end.
 */
export async function hedged<T>(call: HedgedCall<T>): Promise<T> {
  const { job, targets, hedge, budget } = call;
  budget.countCall();
  const afterMs = 'ms' in hedge.after ? hedge.after.ms : targets[0]?.firstTokenPercentile(hedge.after.percentile);
  const first = new Runner(call, targets);
  // Never measured: nobody knows what slow is.
  if (afterMs === undefined || afterMs === null) return first.answer;
  const waiting = new AbortController();
  const slow = pause(afterMs, AbortSignal.any([waiting.signal, job.bounds.signal])).then(() => true);
  const isSlow = await Promise.race([slow, first.answer.then(() => false)])
    .catch(() => false)
    .finally(() => waiting.abort());
  slow.catch(() => undefined);
  if (!isSlow || !budget.spend()) return first.answer;
  const second = new Runner(call, targets.length > 1 ? targets.slice(1) : targets);
  try {
    const winner = await Promise.any([first, second].map((runner) => runner.answer.then(() => runner)));
    (winner === first ? second : first).lose();
    return await winner.answer;
  } catch (error) {
    // Both failed: the first one's words are those of a call that was not hedged.
    return await first.answer.catch((failure: unknown) => {
      throw error instanceof AggregateError ? failure : error;
    });
  }
}

/** One of the two. */
class Runner<T> {
  readonly answer: Promise<T>;
  readonly #controller = new AbortController();
  readonly #call: HedgedCall<T>;

  constructor(call: HedgedCall<T>, targets: readonly Target[]) {
    this.#call = call;
    this.answer = call.answer(targets, AbortSignal.any([call.job.bounds.signal, this.#controller.signal]));
    this.answer.catch(() => undefined);
  }

  lose(): void {
    this.#controller.abort(cancelled(this.#call.job.bounds.label, 'another call was faster'));
    this.answer.then(
      (late) => this.#call.discard(late),
      () => undefined,
    );
  }
}
