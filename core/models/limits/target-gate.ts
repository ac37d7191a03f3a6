import { Busy, Refusal } from '../calls/refusal.ts';
import { FairQueue } from './fair-queue.ts';
import type { Rates, TargetKey } from './keys.ts';

export interface GateLimits extends Rates {
  /** Provider calls at once, and how many may wait. */
  readonly maxConcurrent: number;
  readonly maxQueued: number;
  /** A rest or a limit that lasts longer is not waited for. */
  readonly longestWaitMs: number;
}

/** One call at the gate. */
export interface Visit {
  readonly tenant: string;
  /** What the call may use; asked only where tokens are limited. */
  readonly tokens: () => number;
  readonly signal: AbortSignal;
  readonly remainingMs: number;
  /** False: somewhere else is a place to go to; refused at once when it would have to wait for more than a call to end. */
  readonly patient: boolean;
}

/** A place among the calls under way, and the key to make the call by. */
export interface Pass {
  readonly key: TargetKey;
  /** What was taken of the key's tokens per minute. */
  readonly tokens: number;
  /** Gives the place back. Idempotent. */
  release(): void;
}

interface Waiter extends Visit {
  enter(pass: Pass): void;
  refuse(reason: unknown): void;
  readonly hasLeft: boolean;
}

/**
 * In front of one target: so many calls at once, and of those that wait one of each tenant in turn, by whichever key is ready and has
 * the fewest calls under way. Whoever waits leaves the moment its signal is aborted, and is refused at once when the wait cannot end
 * within its deadline.
 *
 * Own code: p-limit and cockatiel's bulkhead know no tenants and no limits but one, and keep an abandoned waiter in its place.
 */
export class TargetGate {
  readonly #label: string;
  readonly #limits: GateLimits;
  readonly #keys: readonly TargetKey[];
  readonly #queue = new FairQueue<Waiter>();
  #active = 0;
  #isServing = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(label: string, limits: GateLimits, keys: readonly TargetKey[]) {
    this.#label = label;
    this.#limits = limits;
    this.#keys = keys;
  }

  get active(): number {
    return this.#active;
  }

  get queued(): number {
    return this.#queue.size;
  }

  /** Until a key can be used; 0 says nothing of the queue. */
  get readyInMs(): number {
    return Math.min(...this.#keys.map(({ readyInMs }) => readyInMs));
  }

  /** Rejects with a Refusal, or with the signal's reason as soon as it is aborted. */
  async enter(visit: Visit): Promise<Pass> {
    visit.signal.throwIfAborted();
    const { maxConcurrent, maxQueued } = this.#limits;
    const free = Math.max(0, maxConcurrent - this.#active);
    if (free > 0 && this.#queue.size === 0 && !this.#isServing) {
      const key = this.#nextKey();
      if (key?.isLimited === false) return this.#pass(key, 0);
    }
    const readyInMs = this.readyInMs;
    if (readyInMs > 0) this.#assertWorthWaiting(visit, readyInMs);
    if (this.#queue.size >= maxQueued + free) {
      const last = this.#queue.newestOfLonger(visit.tenant);
      if (last === undefined) throw this.#full();
      last.refuse(this.#full());
    }
    return this.#wait(visit);
  }

  #wait(visit: Visit): Promise<Pass> {
    return new Promise((resolve, reject) => {
      let hasLeft = false;
      const leave = () => {
        hasLeft = true;
        this.#queue.leave(visit.tenant, waiter);
        visit.signal.removeEventListener('abort', onAbort);
      };
      const onAbort = () => waiter.refuse(visit.signal.reason);
      const waiter: Waiter = {
        tenant: visit.tenant,
        tokens: visit.tokens,
        signal: visit.signal,
        patient: visit.patient,
        get remainingMs() {
          return visit.remainingMs;
        },
        get hasLeft() {
          return hasLeft;
        },
        enter: (pass) => {
          this.#queue.served(visit.tenant, waiter);
          leave();
          resolve(pass);
        },
        refuse: (reason) => {
          leave();
          reject(reason);
        },
      };
      this.#queue.add(visit.tenant, waiter);
      visit.signal.addEventListener('abort', onAbort, { once: true });
      void this.#serve();
    });
  }

  /** Lets in whoever can go now. One at a time: whose turn it is must not change while the limiter is asked. */
  async #serve(): Promise<void> {
    if (this.#isServing) return;
    this.#isServing = true;
    for (let waiter = this.#next(); waiter !== undefined; waiter = this.#next()) {
      const key = this.#nextKey();
      const tokens = key?.countsTokens === true ? waiter.tokens() : 0;
      if (key !== null && (!key.isLimited || (await key.take(tokens)))) {
        if (waiter.hasLeft) key.correct(-1, -tokens);
        else waiter.enter(this.#pass(key, tokens));
        continue;
      }
      const { readyInMs } = this;
      // Another key is ready, or it has become so: the same one's turn again.
      if (readyInMs === 0) continue;
      this.#refuseTheHopeless(readyInMs);
      if (this.#queue.size > 0) this.#wakeIn(readyInMs);
      break;
    }
    this.#isServing = false;
  }

  /** Whoever cannot get in before its deadline, those before it and the rates per minute considered, hears it now. */
  #refuseTheHopeless(readyInMs: number): void {
    let waitMs = readyInMs;
    for (const waiter of this.#queue.inOrder()) {
      const isInTime = waitMs < waiter.remainingMs;
      if (!isInTime || !this.#isWorthWaiting(waiter, readyInMs)) waiter.refuse(new Busy(this.#label, waitMs));
      else waitMs += this.#msPerCall(waiter) / this.#keys.length;
    }
  }

  /** How long the rates of one key need to make up for a call. */
  #msPerCall(waiter: Waiter): number {
    const { requestsPerMinute, tokensPerMinute } = this.#limits;
    const requestMs = requestsPerMinute === null ? 0 : 60_000 / requestsPerMinute;
    return tokensPerMinute === null ? requestMs : Math.max(requestMs, (waiter.tokens() * 60_000) / tokensPerMinute);
  }

  #next(): Waiter | undefined {
    return this.#active < this.#limits.maxConcurrent ? this.#queue.first() : undefined;
  }

  #nextKey(): TargetKey | null {
    let next: TargetKey | null = null;
    for (const key of this.#keys) {
      if (key.readyInMs === 0 && (next === null || key.inFlight < next.inFlight)) next = key;
    }
    return next;
  }

  #pass(key: TargetKey, tokens: number): Pass {
    this.#active += 1;
    key.inFlight += 1;
    let held = true;
    const release = () => {
      if (!held) return;
      held = false;
      this.#active -= 1;
      key.inFlight -= 1;
      if (this.#queue.size > 0) void this.#serve();
    };
    return { key, tokens, release };
  }

  #wakeIn(ms: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    // Rounded up: a timer may fire a little early, and an early call is the one thing that must not be.
    this.#timer = setTimeout(() => void this.#serve(), Math.ceil(ms) + 1).unref();
  }

  #assertWorthWaiting(visit: Visit, readyInMs: number): void {
    if (!this.#isWorthWaiting(visit, readyInMs)) throw new Busy(this.#label, readyInMs);
  }

  #isWorthWaiting({ patient, remainingMs }: Visit, readyInMs: number): boolean {
    return patient && readyInMs < remainingMs && readyInMs <= this.#limits.longestWaitMs;
  }

  #full(): Refusal {
    const { maxConcurrent, maxQueued } = this.#limits;
    return new Refusal(
      'RATE_LIMITED',
      `${this.#label} takes ${maxConcurrent} calls at once (maxConcurrent) and lets ${maxQueued} wait (maxQueued): all are taken`,
      { limit: maxQueued, retryAfterMs: 1000 },
    );
  }
}
