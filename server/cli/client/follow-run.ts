import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { CommandError } from '../command-error.ts';
import type { Connection } from './connection.ts';
import { unreachable } from './failures.ts';
import { isTerminal, type RunEvent, runEvent } from './run-event.ts';
import { SocketDropped, socketSubscription } from './socket-subscription.ts';

/** Waits between attempts to reach the gateway again, as long as no new event comes: 16 s in all. */
const reconnectWaitsMs = [250, 500, 1_000, 2_000, 4_000, 8_000];

/** A subscription whose root field is a RunEvent and which takes `$after: String`. */
export interface RunSubscription {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

/**
 * A run's events, each exactly once and in order, over as many sockets as it takes: after a drop it subscribes again from
 * the newest cursor. Ends after the terminal event. `signal` stops the following, not the run.
 */
export async function* followRun(
  connection: Connection,
  subscription: RunSubscription,
  signal: AbortSignal,
): AsyncGenerator<RunEvent, void, undefined> {
  let after: string | null = null;
  let seq = 0;
  let attempt = 0;
  for (;;) {
    let reason = 'the gateway ended the subscription before the run ended';
    try {
      const variables = { ...subscription.variables, after };
      for await (const data of socketSubscription(connection, { query: subscription.query, variables }, signal)) {
        const event = eventOf(data);
        if (event.seq <= seq) continue;
        ({ cursor: after, seq } = event);
        attempt = 0;
        yield event;
        if (isTerminal(event)) return;
      }
    } catch (error) {
      if (!(error instanceof SocketDropped)) throw error;
      if (seq === 0 && !error.opened) throw unreachable(connection, error);
      reason = error.message;
    }
    const waitMs = reconnectWaitsMs[attempt];
    if (waitMs === undefined) {
      throw new CommandError(
        `lost the gateway at ${connection.url} (${reason}) and could not reach it again; the run itself may go on`,
      );
    }
    attempt += 1;
    await sleep(waitMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

/** The value of the root field, whatever its name. */
function eventOf(data: unknown): RunEvent {
  const [value] = Object.values(z.record(z.string(), z.unknown()).parse(data));
  const event = runEvent.safeParse(value);
  if (!event.success) {
    throw new CommandError('the gateway sent an event in another shape than this version of sluice expects', {
      cause: event.error,
    });
  }
  return event.data;
}
