import { EventEmitter, once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';

/** One request as the vendor saw it; it fills up while the request is answered. Times are epoch milliseconds with fractions. */
export interface VendorCall {
  /** 1, 2, 3 … in order of arrival. */
  readonly number: number;
  readonly method: string;
  /** Without `/v1`. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** The parsed body; null when there was none, or no JSON. */
  readonly body: unknown;
  readonly startedAt: number;
  /** When the request was over, one way or the other. */
  closedAt: number | null;
  /** True when the whole answer was handed to the socket; false with `closedAt` set: the caller, or a cut, ended it early. */
  completed: boolean;
  status: number | null;
  tokensSent: number;
  /** What it told the caller that this has cost; null: it told nothing. */
  reported: { readonly inputTokens: number; readonly outputTokens: number } | null;
}

const WAIT_MS = 5_000;

/** What was asked of the vendor, in order, and ways to wait for it without sleeping. */
export class Journal {
  readonly calls: VendorCall[] = [];
  /** Of all requests so far, also those that `keep` has dropped. */
  total = 0;
  inFlight = 0;
  maxConcurrent = 0;
  readonly #keep: number;
  readonly #events = new EventEmitter().setMaxListeners(0);

  constructor(keep: number) {
    this.#keep = keep;
  }

  open(request: Pick<VendorCall, 'method' | 'path' | 'headers' | 'body'>): VendorCall {
    this.total += 1;
    this.inFlight += 1;
    this.maxConcurrent = Math.max(this.maxConcurrent, this.inFlight);
    const call = {
      ...request,
      number: this.total,
      startedAt: epochMs(),
      closedAt: null,
      completed: false,
      status: null,
      tokensSent: 0,
      reported: null,
    };
    this.calls.push(call);
    if (this.calls.length > this.#keep) this.calls.splice(0, this.calls.length - this.#keep);
    this.#events.emit('change');
    return call;
  }

  close(call: VendorCall, completed: boolean): void {
    if (call.closedAt !== null) return;
    call.closedAt = epochMs();
    call.completed = completed;
    this.inFlight -= 1;
    this.#events.emit('change');
  }

  sent(call: VendorCall, tokens: number): void {
    call.tokensSent += tokens;
    this.#events.emit('change');
  }

  report(call: VendorCall, usage: VendorCall['reported']): void {
    call.reported = usage;
  }

  /** Resolves as soon as `find` finds something; throws after five seconds, so that a test fails by itself and says what it missed. */
  async waitFor<T>(what: string, find: () => T | undefined): Promise<T> {
    const deadline = AbortSignal.timeout(WAIT_MS);
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      await once(this.#events, 'change', { signal: deadline }).catch(() => {
        throw new Error(`vendor: waited ${WAIT_MS} ms for ${what}; there were ${this.total} requests`);
      });
    }
  }
}

export function epochMs(): number {
  return performance.timeOrigin + performance.now();
}
