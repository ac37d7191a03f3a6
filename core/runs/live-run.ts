import type { NewMessage } from '../contracts/conversation-store.ts';
import type { Json } from '../contracts/filter.ts';
import { GatewayError } from '../contracts/gateway-error.ts';
import type { AwaitedCall, CallAnswer } from '../contracts/parked-runs.ts';
import type { RunEvent } from '../contracts/run-event.ts';
import type { ParkedStatus, RunDetail, RunPatch, RunRecord, UnwatchedPolicy } from '../contracts/run-store.ts';
import { UsageMeter } from '../models/usage/usage-meter.ts';
import { AnswerBell } from './answer-bell.ts';
import type { Begun } from './begun.ts';
import { cancelled, runTimeout } from './run-error.ts';
import { AttemptTrace } from './run-trace.ts';

/** What a run asks a person or an app, and was answered. */
export interface Questions {
  /** The question is there when it resolves. Asking again changes nothing. */
  ask(call: AwaitedCall): Promise<void>;
  /** The answer as of the last look, or null: then the run is parked once it has nothing else to do. */
  answer(callId: string, round: number): Promise<CallAnswer | null>;
  /** Looks again: whether somebody has answered a call since that had no answer. */
  hasNews(): Promise<boolean>;
  /** Until it is worth looking again, by one at a time: somebody has answered since the last look, or some seconds have passed. */
  untilNews(signal: AbortSignal): Promise<void>;
}

/** What an executor is given: its run, and the only ways to say something about it. */
export interface RunIo {
  readonly run: RunRecord;
  /** Fires for cancelRun, the run's timeout, the unwatched policy and shutdown; its reason is the error to end with. */
  readonly signal: AbortSignal;
  readonly meter: UsageMeter;
  /** What an earlier attempt has said already. */
  readonly begun: Begun;
  /** Queues an event for the log; deltas are coalesced, order is kept. */
  emit(event: RunEvent): void;
  /**
   * Does a piece of work once in all attempts of the run: what an earlier attempt finished under this key is returned as it
   * was, and is not done again. Keys are the executor's own, stable from attempt to attempt. What fails is not kept.
   * All that was said before it is done is in the log by then, so a later attempt need not say it again; what is said
   * behind it may be missing there.
   */
  once<T extends Json>(key: string, work: () => Promise<T>): Promise<T>;
  /** Of a run that is stored; null: nobody can be asked, since the run cannot wait. */
  readonly questions: Questions | null;
  /** Milliseconds until the run's own deadline; null: it has none. */
  timeLeftMs(): number | null;
  /** The signal has fired because another instance goes on with the run: nothing of it ends here. */
  hasDeparted(): boolean;
  /** Writes progress to the run's row, if this attempt still owns it. */
  save(patch: Pick<RunPatch, 'detail' | 'usage'>): Promise<void>;
}

/** What an executor leaves behind, also when it failed: what had come by then. */
export interface RunResult {
  readonly detail?: RunDetail;
  /** Written in one transaction with the run's end. */
  readonly reply?: NewMessage;
  readonly error?: unknown;
  /** The run has no end yet: it waits for somebody, and goes on at any instance once it was answered. */
  readonly parked?: ParkedStatus;
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
  /** Of its start, for one that was taken over; null: what is active now has started it. */
  readonly traceparent: string | null;
  /** Asked when nobody follows it here any more. */
  readonly isFollowedElsewhere: () => Promise<boolean>;
}

/** How a run leaves this process without an end: another instance has it, or may have it. */
export type Departure = 'lost' | 'handed-over';

/** A run that this process executes: its signal, its policy, its end. */
export class LiveRun {
  readonly run: RunRecord;
  readonly meter = new UsageMeter();
  readonly bell = new AnswerBell();
  /** On the clock of `performance.now()`: since when this process has the run. */
  readonly heldSince = performance.now();
  readonly trace: AttemptTrace;
  readonly finished: Promise<void>;
  readonly #controller = new AbortController();
  readonly #options: LiveRunOptions;
  #settle: () => void = () => {};
  #ended = false;
  #departure: Departure | null = null;
  #watchers = 0;
  #graceTimer: NodeJS.Timeout | undefined;
  #deadline: NodeJS.Timeout | undefined;

  constructor(run: RunRecord, options: LiveRunOptions) {
    this.run = run;
    this.#options = options;
    this.trace = new AttemptTrace(run, options.traceparent);
    this.meter.addUsage(run.usage);
    this.finished = new Promise((resolve) => {
      this.#settle = resolve;
    });
    if (options.timeoutMs !== null) this.#armDeadline(options.timeoutMs);
    this.watchedBy(options.watchers);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get timeLeftMs(): number | null {
    const { timeoutMs } = this.#options;
    return timeoutMs === null ? null : timeoutMs - (performance.now() - this.heldSince);
  }

  get departure(): Departure | null {
    return this.#departure;
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  /** Stops the work here without an end. What ended before it keeps its end. */
  depart(departure: Departure): void {
    if (this.#ended || this.signal.aborted) return;
    this.#departure = departure;
    this.abort(new GatewayError('UPSTREAM_UNAVAILABLE', 'The run goes on at another instance.', { retryable: true }));
  }

  /** So many follow the run now: with nobody left the grace period begins, with somebody there it is over. */
  watchedBy(watchers: number): void {
    this.#watchers = watchers;
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
    if (this.#options.policy === 'FINISH' || this.#ended || this.signal.aborted) return;
    this.#graceTimer = setTimeout(() => void this.#graceOver(), this.#options.graceMs);
  }

  async #graceOver(): Promise<void> {
    const followed = await this.#options.isFollowedElsewhere();
    // Somebody may have come here while the others were asked.
    if (this.#watchers > 0) return;
    if (followed) return this.#armGrace();
    this.abort(cancelled(`Nobody followed the run for ${this.#options.graceMs} ms (whenUnwatched: CANCEL).`));
  }

  #armDeadline(timeoutMs: number): void {
    this.#deadline = setTimeout(() => this.abort(runTimeout(timeoutMs)), timeoutMs);
  }
}
