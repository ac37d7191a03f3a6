import type { Worker } from 'node:worker_threads';
import { GatewayError } from '../../core/contracts/gateway-error.ts';
import type { WorkerReply } from './embedding-worker.ts';

/** A model that may never be asked costs nothing until its first call, which then waits for it. */
export type LoadTime = 'at-once' | 'at-first-call';

export interface EmbeddingPoolOptions {
  readonly workers: number;
  /** When the threads are started; by default at once. */
  readonly load?: LoadTime;
  /** A thread that speaks as embedding-worker.ts does. */
  spawn(): Worker;
}

interface Call {
  readonly texts: readonly string[];
  readonly vectors: Float32Array[];
  next: number;
  /** Characters embedded for it, counted from where the pool's clock stood when it came. */
  spent: number;
  missing: number;
  /** Once: with nothing when all vectors are there, else with the reason. */
  settle(error?: GatewayError): void;
  isSettled: boolean;
}

interface Thread {
  readonly worker: Worker;
  isReady: boolean;
  fault: unknown;
  working: { readonly call: Call; readonly index: number } | null;
}

/**
 * Threads that embed, one text at a time each. The open calls share them by characters, which is what an embedding takes its
 * time for: next is the text that would leave its call with the fewest. So a few short queries go before the next passage of
 * an ingest, none waits for another call's end, and an aborted call stops after the text that is being embedded.
 *
 * When a thread dies, the call whose text it held fails as UPSTREAM_UNAVAILABLE, retryable, and another thread takes its
 * place; the other calls go on. A thread that dies before it was ready is not started again by itself — the next call
 * does that — and fails all calls when it was the last one.
 */
export class EmbeddingPool {
  readonly ready: Promise<void>;
  readonly #options: EmbeddingPoolOptions;
  readonly #started = Promise.withResolvers<void>();
  readonly #threads = new Set<Thread>();
  /** Calls with texts that no thread has yet; of equals, the first is next. */
  readonly #waiting: Call[] = [];
  /** Characters that a call which had always been waiting would have been given: the clock of weighted fair queueing. */
  #clock = 0;
  #isClosed = false;

  constructor(options: EmbeddingPoolOptions) {
    this.#options = options;
    this.ready = this.#started.promise;
    // Whoever does not wait for it hears of a fault from the first call.
    this.ready.catch(() => undefined);
    if (options.load !== 'at-first-call') this.#start();
  }

  /** Threads have been started, and none can embed yet. */
  get isLoading(): boolean {
    return this.#threads.size > 0 && ![...this.#threads].some((thread) => thread.isReady);
  }

  /** Calls that wait for a thread, in whole or in part. */
  get openCalls(): number {
    return this.#waiting.length;
  }

  async embed(texts: readonly string[], signal: AbortSignal): Promise<Float32Array[]> {
    if (signal.aborted) throw cancelled(signal);
    if (this.#isClosed) throw closed();
    if (texts.length === 0) return [];
    if (this.#threads.size === 0) this.#start();

    const done = Promise.withResolvers<void>();
    const call: Call = {
      texts,
      vectors: new Array<Float32Array>(texts.length),
      next: 0,
      spent: this.#clock,
      missing: texts.length,
      isSettled: false,
      settle: (error) => {
        call.isSettled = true;
        const place = this.#waiting.indexOf(call);
        if (place >= 0) this.#waiting.splice(place, 1);
        if (error === undefined) done.resolve();
        else done.reject(error);
      },
    };
    const abort = () => call.settle(cancelled(signal));
    signal.addEventListener('abort', abort, { once: true });
    try {
      this.#waiting.push(call);
      this.#dispatch();
      await done.promise;
      return call.vectors;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#started.reject(closed());
    this.#failAll(closed());
    await Promise.all([...this.#threads].map(({ worker }) => worker.terminate()));
  }

  #start(): void {
    while (this.#threads.size < this.#options.workers) this.#spawn();
  }

  #spawn(): void {
    const worker = this.#options.spawn();
    const thread: Thread = { worker, isReady: false, fault: undefined, working: null };
    this.#threads.add(thread);
    worker.on('message', (reply: WorkerReply) => this.#receive(thread, reply));
    worker.on('error', (error: unknown) => {
      thread.fault = error;
    });
    worker.once('exit', (code) => this.#bury(thread, thread.fault ?? new Error(`the thread ended with ${code}`)));
  }

  #receive(thread: Thread, reply: WorkerReply): void {
    if (reply.type === 'ready') {
      thread.isReady = true;
      this.#started.resolve();
    } else if (thread.working !== null) {
      const { call, index } = thread.working;
      thread.working = null;
      call.vectors[index] = reply.vector;
      call.missing -= 1;
      if (call.missing === 0 && !call.isSettled) call.settle();
    }
    this.#dispatch();
  }

  #dispatch(): void {
    for (const thread of this.#threads) {
      if (!thread.isReady || thread.working !== null) continue;
      const call = this.#takeNext();
      const text = call?.texts[call.next];
      if (call === undefined || text === undefined) return;
      thread.working = { call, index: call.next };
      this.#clock += text.length / (this.#waiting.length + 1);
      call.spent += text.length;
      call.next += 1;
      if (call.next < call.texts.length) this.#waiting.push(call);
      thread.worker.postMessage(text);
    }
  }

  #takeNext(): Call | undefined {
    const after = ({ spent, texts, next }: Call) => spent + (texts[next]?.length ?? 0);
    const [first, ...others] = this.#waiting;
    if (first === undefined) return undefined;
    const chosen = others.reduce((least, call) => (after(call) < after(least) ? call : least), first);
    this.#waiting.splice(this.#waiting.indexOf(chosen), 1);
    return chosen;
  }

  #bury(thread: Thread, fault: unknown): void {
    this.#threads.delete(thread);
    if (this.#isClosed) return;
    const error = new GatewayError('UPSTREAM_UNAVAILABLE', `the local embedding model stopped (${messageOf(fault)})`, {
      retryable: true,
      cause: fault,
    });
    if (thread.working !== null && !thread.working.call.isSettled) thread.working.call.settle(error);
    if (thread.isReady) this.#spawn();
    else if (this.#threads.size === 0) {
      this.#started.reject(error);
      this.#failAll(error);
    }
  }

  #failAll(error: GatewayError): void {
    const working = [...this.#threads].flatMap((thread) => (thread.working === null ? [] : [thread.working.call]));
    for (const call of new Set([...this.#waiting, ...working])) if (!call.isSettled) call.settle(error);
  }
}

export function cancelled(signal: AbortSignal): GatewayError {
  return new GatewayError('CANCELLED', 'the call was cancelled before its end', { cause: signal.reason });
}

function closed(): GatewayError {
  return new GatewayError('CANCELLED', 'the local provider was closed');
}

function messageOf(fault: unknown): string {
  return fault instanceof Error ? fault.message : String(fault);
}
