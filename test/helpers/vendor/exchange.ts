import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Behaviour } from './behaviour.ts';
import type { Journal, VendorCall } from './journal.ts';

/** What answering one request takes. */
export interface Exchange {
  readonly call: VendorCall;
  /** The vendor's defaults under what was planned for this request. */
  readonly behaviour: Behaviour;
  readonly response: ServerResponse;
  /** Aborted when the response is over: nothing sleeps for a caller who has gone. */
  readonly signal: AbortSignal;
  readonly journal: Journal;
  /** Settles when the behaviour's latency is over, which began with the request: vectors are worked out meanwhile. */
  readonly latency: Promise<void>;
}

export async function pause(ms: number | undefined, signal: AbortSignal): Promise<void> {
  if (ms !== undefined && ms > 0) await sleep(ms, undefined, { signal });
}

/** Settles with the promise, or rejects once the caller has gone. */
export function unlessGone<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise: gone, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  return Promise.race([promise, gone]).finally(() => signal.removeEventListener('abort', abort));
}

export function writeHead({ call, response, behaviour }: Exchange, status: number, contentType: string): void {
  call.status = status;
  response.writeHead(status, { 'content-type': behaviour.contentType ?? contentType, ...behaviour.headers });
}

/**
 * Writes, and waits for a caller who reads slowly. In pieces with a turn of the event loop between them, where the behaviour
 * wants the wire split.
 */
export async function write({ response, behaviour, signal }: Exchange, text: string): Promise<void> {
  const size = behaviour.splitBytes;
  if (size === undefined) {
    if (!response.write(text)) await once(response, 'drain', { signal });
    return;
  }
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length && !signal.aborted; at += size) {
    response.write(bytes.subarray(at, at + size));
    await nextTurn();
  }
}

/** Sends a whole JSON body, or what the behaviour makes of it: cut in the middle, or never sent. */
export async function sendJson(exchange: Exchange, status: number, body: unknown): Promise<void> {
  const { behaviour, response, signal } = exchange;
  await exchange.latency;
  if (behaviour.silentAfter !== undefined) return untilGone(signal);
  const text = behaviour.rawBody ?? JSON.stringify(body);
  writeHead(exchange, status, 'application/json');
  if (behaviour.cutAfter !== undefined) {
    response.write(text.slice(0, Math.ceil(text.length / 2)), () => response.destroy());
    return;
  }
  if (behaviour.splitBytes === undefined) {
    response.end(text);
    return;
  }
  await write(exchange, text);
  response.end();
}

export async function sendError(
  exchange: Exchange,
  status: number,
  error: { readonly message: string; readonly type: string; readonly param?: string | null; readonly code?: unknown },
): Promise<void> {
  await sendJson(exchange, status, { error: { param: null, code: null, ...error } });
}

export async function untilGone(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
}
