import { GatewayError } from '../../contracts/gateway-error.ts';
import type { RunIo } from '../../runs/live-run.ts';
import type { AgentLimits } from '../agent.ts';
import { LimitReached } from './limit-reached.ts';

/** How much longer than its `timeoutMs` a run may take to say what it has. */
export const endingMs = 5_000;

/**
 * The limits of a run. When one is reached nothing new is begun and no model is asked any more: what there is by then is the
 * output. Model calls under way are left to end, for they are paid already; only the time limit stops them.
 */
export class Budget implements Disposable {
  readonly #io: Pick<RunIo, 'meter'>;
  readonly #limits: AgentLimits;
  readonly #stop = new AbortController();
  readonly #timer: NodeJS.Timeout | undefined;
  #reached: string | null = null;
  #cut: string | null = null;

  constructor(io: Pick<RunIo, 'meter' | 'timeLeftMs'>, limits: AgentLimits) {
    this.#io = io;
    this.#limits = limits;
    const left = io.timeLeftMs();
    if (left !== null) this.#timer = setTimeout(() => this.#timeIsUp(), Math.max(0, left - endingMs));
  }

  /** Fires when the time is up. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Nothing new may be begun. */
  get isSpent(): boolean {
    return this.#reached !== null;
  }

  /** Before something is spent within a step: throws `LimitReached`. */
  assertLeft(): void {
    if (this.#reached !== null) throw new LimitReached(this.#reached);
  }

  /** Whether `error` is how a limit ends what was under way: it is none of the run. */
  hasEnded(error: unknown): boolean {
    return error instanceof LimitReached || this.#stop.signal.aborted;
  }

  /** Which limit kept the run from doing all that it was asked, in words; null: none. */
  get limit(): string | null {
    return this.#reached ?? this.#cut;
  }

  /** Called whenever something was spent. */
  look(): void {
    const { maxTokens, maxCostUsd } = this.#limits;
    const { costUsd } = this.#io.meter.usage;
    const tokens = this.#tokens();
    if (maxTokens !== null && tokens >= maxTokens) this.#reach(`maxTokens of ${maxTokens}, with ${tokens} spent`);
    if (maxCostUsd === null) return;
    // What cannot be counted cannot be bounded.
    if (costUsd === null) this.#reach(`maxCostUsd of ${maxCostUsd}: the price of a model is not known`);
    else if (costUsd >= maxCostUsd) this.#reach(`maxCostUsd of ${maxCostUsd}, with ${costUsd} spent`);
  }

  /** The plan has no room for all that was asked; what it has room for goes on. */
  cutPlan(): void {
    this.#cut = `maxSteps of ${this.#limits.maxSteps}`;
  }

  /** Tokens that a call may still write; null: as many as it likes. */
  get outputLeft(): number | null {
    const { maxTokens } = this.#limits;
    return maxTokens === null ? null : Math.max(1, maxTokens - this.#tokens());
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #tokens(): number {
    const { inputTokens, outputTokens } = this.#io.meter.usage;
    return inputTokens + outputTokens;
  }

  #timeIsUp(): void {
    this.#reach(`timeoutMs of ${this.#limits.timeoutMs}`);
    this.#stop.abort(new GatewayError('CANCELLED', 'The time of the run is up.'));
  }

  #reach(limit: string): void {
    this.#reached ??= limit;
  }
}
