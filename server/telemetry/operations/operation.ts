import type { Principal } from '../../../context.ts';
import { type ErrorCode, isErrorCode } from '../../../core/contracts/gateway-error.ts';

import { OperationTrace } from '../tracing/operation-trace.ts';

export type OperationKind = 'query' | 'mutation' | 'subscription' | 'ag-ui' | 'mcp' | 'unknown';
export type Transport = 'http' | 'websocket' | 'ag-ui' | 'mcp';

/** Hears of the operations of all transports. Every method is cheap, synchronous and never throws. */
export interface OperationObserver {
  began(operation: Operation): void;
  /** It is answered by a stream. */
  streams(operation: Operation): void;
  ended(operation: Operation, durationMs: number): void;
}

export interface Arrival {
  readonly transport: Transport;
  readonly requestId: string;
  readonly principal: Principal;
  /** As the caller sent it, if at all. */
  readonly traceparent: unknown;
}

/** One GraphQL operation, or request of AG-UI or MCP, from its arrival to the end of its answer. What is known of it comes bit by bit. */
export class Operation {
  readonly transport: Transport;
  readonly requestId: string;
  readonly principal: Principal;
  readonly #observers: readonly OperationObserver[];
  readonly #begunAt = performance.now();
  readonly #trace: OperationTrace;
  #kind: OperationKind = 'unknown';
  #name: string | null = null;
  #code: ErrorCode | null = null;
  #ended = false;

  constructor({ transport, requestId, principal, traceparent }: Arrival, observers: readonly OperationObserver[]) {
    this.transport = transport;
    this.requestId = requestId;
    this.principal = principal;
    this.#observers = observers;
    this.#trace = new OperationTrace(transport, requestId, traceparent);
    for (const observer of observers) observer.began(this);
  }

  /** `unknown` until it is parsed, and for good where it could not be. */
  get kind(): OperationKind {
    return this.#kind;
  }

  get name(): string | null {
    return this.#name;
  }

  /** Of the first error; null: there was none. */
  get code(): ErrorCode | null {
    return this.#code;
  }

  get isStream(): boolean {
    return this.#kind === 'subscription' || this.#kind === 'ag-ui';
  }

  is(kind: Exclude<OperationKind, 'unknown'>, name: string | null): void {
    if (this.#kind !== 'unknown') return;
    this.#kind = kind;
    this.#name = name;
    if (this.isStream && !this.#ended) for (const observer of this.#observers) observer.streams(this);
  }

  /** What is done inside belongs to the operation's trace. */
  run<T>(work: () => T): T {
    return this.#trace.run(work);
  }

  failed(code: ErrorCode): void {
    this.#code ??= code;
  }

  /** With errors as a client is told them: the first one's code. */
  failedWith([first]: readonly { readonly extensions?: Readonly<Record<string, unknown>> }[]): void {
    const code = first?.extensions?.['code'];
    if (isErrorCode(code)) this.failed(code);
  }

  /** Idempotent: whichever sees the end first. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    const durationMs = performance.now() - this.#begunAt;
    this.#trace.end(this.#kind, this.#name, this.#code);
    for (const observer of this.#observers) observer.ended(this, durationMs);
  }
}
