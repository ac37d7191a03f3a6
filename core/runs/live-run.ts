import type { NewMessage } from '../contracts/conversation-store.ts';
import type { RunEvent } from '../contracts/run-event.ts';
import type { RunDetail, RunPatch, RunRecord } from '../contracts/run-store.ts';
import { UsageMeter } from '../models/usage-meter.ts';
import { cancelled, runTimeout } from './run-error.ts';

/** What becomes of a run that nobody follows any more. */
export type UnwatchedPolicy = 'FINISH' | 'CANCEL';

/** What an executor is given: its run, and the only ways to say something about it. */
export interface RunIo {
  readonly run: RunRecord;
  /** Fires for cancelRun, the run's timeout, the unwatched policy and shutdown; its reason is the error to end with. */
  readonly signal: AbortSignal;
  readonly meter: UsageMeter;
  /** Queues an event for the log; deltas are coalesced, order is kept. */
  emit(event: RunEvent): void;
  /** Writes progress to the run's row, if this attempt still owns it. */
  save(patch: Pick<RunPatch, 'detail' | 'usage'>): Promise<void>;
}

/** What an executor leaves behind, also when it failed: what had come by then. */
export interface RunResult {
  readonly detail?: RunDetail;
  /** Written in one transaction with the run's end. */
  readonly reply?: NewMessage;
  readonly error?: unknown;
}

/** Does a run's work from its row and input alone, so that any instance can. */
export type Executor = (io: RunIo, input: unknown) => Promise<RunResult>;

export interface LiveRunOptions {
  readonly policy: UnwatchedPolicy;
  /** How long the run may be unwatched under the policy CANCEL. */
  readonly graceMs: number;
  readonly timeoutMs: number | null;
  /** How many follow it already. */
  readonly watchers: number;
}

/** A run that this process executes: its signal, its policy, its end. */
export class LiveRun {
  readonly run: RunRecord;
  readonly meter = new UsageMeter();
  readonly finished: Promise<void>;
  readonly #controller = new AbortController();
  readonly #policy: UnwatchedPolicy;
  readonly #graceMs: number;
  #settle: () => void = () => {};
  #ended = false;
  #graceTimer: NodeJS.Timeout | undefined;
  #deadline: NodeJS.Timeout | undefined;

  constructor(run: RunRecord, { policy, graceMs, timeoutMs, watchers }: LiveRunOptions) {
    this.run = run;
    this.#policy = policy;
    this.#graceMs = graceMs;
    this.finished = new Promise((resolve) => {
      this.#settle = resolve;
    });
    if (timeoutMs !== null) this.#armDeadline(timeoutMs);
    this.watchedBy(watchers);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  /** So many follow the run now: with nobody left the grace period begins, with somebody there it is over. */
  watchedBy(watchers: number): void {
    clearTimeout(this.#graceTimer);
    if (watchers === 0) this.#armGrace();
  }

  end(): void {
    this.#ended = true;
    clearTimeout(this.#graceTimer);
    clearTimeout(this.#deadline);
    this.#settle();
  }

  #armGrace(): void {
    if (this.#policy === 'FINISH' || this.#ended || this.signal.aborted) return;
    this.#graceTimer = setTimeout(
      () => this.abort(cancelled(`Nobody followed the run for ${this.#graceMs} ms (whenUnwatched: CANCEL).`)),
      this.#graceMs,
    );
  }

  #armDeadline(timeoutMs: number): void {
    this.#deadline = setTimeout(() => this.abort(runTimeout(timeoutMs)), timeoutMs);
  }
}
