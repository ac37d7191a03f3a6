import { randomUUID } from 'node:crypto';
import { all, chatOperation, openStream, runEventsOperation, startOperation } from '../../test/e2e/runs/streams.ts';
import type { GatewayProcess } from '../../test/helpers/gateway-process.ts';

export interface Chats {
  readonly gateway: GatewayProcess;
  /** Who is followed: the gateway that executes the run, or another one. */
  readonly follower: GatewayProcess;
  readonly streams: number;
  readonly tokens: number;
  readonly store: boolean;
}

/** So many chats at the same time, each with a follower on a socket of its own; the events that they received. */
export async function chats(options: Chats): Promise<number> {
  const counts = await Promise.all(Array.from({ length: options.streams }, () => chat(options)));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** The vendor reads from the message how many tokens to answer with. */
export const lengthWanted = (text: string): number => Number(/\d+$/.exec(text)?.[0] ?? 10);

async function chat({ gateway, follower, tokens, store }: Chats): Promise<number> {
  const input = { runId: randomUUID(), message: `Question ${randomUUID()} in tokens: ${tokens}`, store };
  const at = { webSocketUrl: follower.url.replace(/^http/, 'ws') };
  if (gateway !== follower) await gateway.data(startOperation, { input });
  const stream =
    gateway === follower
      ? openStream(at, chatOperation, { input })
      : openStream(at, runEventsOperation, { runId: input.runId });
  const events = await all(stream);
  if (events.at(-1)?.__typename !== 'RunFinished')
    throw new Error(`a chat ended with ${JSON.stringify(events.at(-1))}`);
  return events.length;
}
