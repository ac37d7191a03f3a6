import type { Caller } from './embedding-job.ts';

export interface GateOptions {
  /** Provider calls of one model at once. */
  readonly concurrentCalls: number;
  /** How long texts gather while others are busy. */
  readonly gatherMs: number;
}

/** Callers this close behind one another came together; one that waits for its answer before it asks again is slower. */
const closeMs = 0.25;

/**
 * When the next embedding call begins. In a quiet moment at the end of the current turn of the event loop: everything that was
 * asked for in it goes together, and nobody waits. Once calls overlap or callers meet, `gatherMs` after the first waiting text
 * (sooner when a call is full), and that for five times as long again, since requests that come together do not arrive in one
 * turn. While all calls are taken, texts gather until one ends. So a lone caller never waits for company, and a crowd makes few
 * calls, also when the provider answers faster than the crowd arrives.
 */
export class CallGate {
  readonly #options: GateOptions;
  readonly #open: () => void;
  #inFlight = 0;
  #stopWaking: (() => void) | null = null;
  /** The pending wake is a gathering that a full call may cut short. */
  #gathering = false;
  #busyUntil = 0;
  #lastCaller: AbortSignal | null = null;
  #arrivedAt = Number.NEGATIVE_INFINITY;

  constructor(options: GateOptions, open: () => void) {
    this.#options = options;
    this.#open = open;
  }

  get hasSlot(): boolean {
    return this.#inFlight < this.#options.concurrentCalls;
  }

  /** The last free slot is for callers with nothing under way: a bulk caller cannot hold them all. */
  mayCall(caller: Caller): boolean {
    const { concurrentCalls } = this.#options;
    return caller.callsInFlight === 0 || concurrentCalls === 1 || this.#inFlight < concurrentCalls - 1;
  }

  /** A text has come. `full`: what waits fills a call. */
  arrived(caller: Caller, full: boolean): void {
    const now = performance.now();
    const quiet = this.#inFlight === 0 && now >= this.#busyUntil;
    const isAnother = caller.signal !== this.#lastCaller;
    const met = this.#inFlight > 0 || (isAnother && (this.#stopWaking !== null || now - this.#arrivedAt < closeMs));
    if (met) this.#busyUntil = now + 5 * this.#options.gatherMs;
    this.#lastCaller = caller.signal;
    this.#arrivedAt = now;
    if (!this.hasSlot) return;
    if (full && this.#gathering) this.stop();
    if (this.#stopWaking !== null) return;
    if (quiet || full) this.#wakeAtEndOfTurn();
    else this.#wakeAfterGathering();
  }

  began(): void {
    this.#inFlight += 1;
  }

  /** A call has ended: what waits goes now, unless it is still gathering. */
  ended(): void {
    this.#inFlight -= 1;
    if (this.#stopWaking === null) this.#open();
  }

  /** Forgets the pending wake. */
  stop(): void {
    this.#stopWaking?.();
    this.#stopWaking = null;
    this.#gathering = false;
  }

  #wakeAtEndOfTurn(): void {
    const immediate = setImmediate(this.#wake);
    this.#stopWaking = () => clearImmediate(immediate);
  }

  #wakeAfterGathering(): void {
    const timer = setTimeout(this.#wake, this.#options.gatherMs);
    this.#stopWaking = () => clearTimeout(timer);
    this.#gathering = true;
  }

  readonly #wake = (): void => {
    this.stop();
    this.#open();
  };
}
