import { once } from 'node:events';
import fc from 'fast-check';
import type { GraphQLSchema } from 'graphql';
import { WebSocket } from 'ws';
import type { Draw } from './hostile-values.ts';
import { authorization } from './key.ts';
import { operation } from './operations.ts';
import { damaged } from './requests.ts';
import { errorFaults } from './send.ts';

/** What is sent on one socket, in this order. */
export type FuzzFrames = readonly (string | Buffer)[];

const soundOpening = JSON.stringify({ type: 'connection_init', payload: { authorization } });
const id = fc.constantFrom('1', '2', '3', '__proto__', 'a'.repeat(2_000));

export function socketFrames(schema: GraphQLSchema): fc.Arbitrary<FuzzFrames> {
  return fc.gen().map((generate) => {
    const draw: Draw = (arbitrary) => generate(() => arbitrary);
    const opening = draw(
      fc.oneof(
        { weight: 12, arbitrary: fc.constant<FuzzFrames>([soundOpening]) },
        {
          weight: 1,
          arbitrary: fc.constantFrom<FuzzFrames>(
            [],
            ['{"type":"connection_init","payload":7}'],
            [soundOpening, soundOpening],
          ),
        },
      ),
    );
    const frames = Array.from({ length: draw(fc.integer({ min: 1, max: 8 })) }, (_, index) =>
      frame(draw, schema, String(index)),
    );
    return [...opening, ...frames];
  });
}

function frame(draw: Draw, schema: GraphQLSchema, freshId: string): string | Buffer {
  const { query, variables } = operation(draw, schema);
  const subscribe = (payload: unknown, withId: unknown = freshId) =>
    JSON.stringify({ id: withId, type: 'subscribe', payload });
  const sound = () => subscribe({ query, variables });
  const broken = draw(
    fc.constantFrom<() => string | Buffer>(
      () => subscribe({ query: damaged(query, draw), variables }),
      () => subscribe({ query, variables: draw(fc.constantFrom<unknown>(null, [], 7, 'x')) }),
      () => subscribe({ query, variables, operationName: draw(fc.constantFrom<unknown>('Nothing', 7, null, '')) }),
      () => subscribe({ query, variables, extensions: draw(fc.constantFrom<unknown>('x', [], null, { a: 1 })) }),
      () => subscribe(draw(fc.constantFrom<unknown>(null, {}, 'x', { query: 7 }))),
      () => subscribe({ query, variables }, draw(id)),
      () => JSON.stringify({ id: draw(id), type: 'complete' }),
      () => JSON.stringify({ type: draw(fc.constantFrom('ping', 'pong', 'next', 'error', 'start', '', 'stop')) }),
      () => damaged(sound(), draw),
      () => Buffer.from(draw(fc.uint8Array({ maxLength: 100 }))),
    ),
  );
  return draw(fc.oneof({ weight: 6, arbitrary: fc.constant(sound) }, { weight: 1, arbitrary: fc.constant(broken) }))();
}

const waitMs = 700;

/** Sends them all, listens until every operation has ended or for a while, and says what is wrong with what came. */
export async function faultsOnSocket(url: string, frames: FuzzFrames, seen: Map<string, number>): Promise<string[]> {
  const faults: string[] = [];
  const socket = new WebSocket(url, 'graphql-transport-ws');
  const waitedFor = new Set(frames.flatMap(operationIn));
  const closed = once(socket, 'close');
  const acknowledged = new Promise<void>((resolve) => {
    socket.on('message', (data) => {
      const text = String(data);
      if (text.includes('"INTERNAL"')) faults.push(`an INTERNAL error: ${text.slice(0, 2_000)}`);
      const message = JSON.parse(text);
      seen.set(message.type, (seen.get(message.type) ?? 0) + 1);
      if (message.type === 'connection_ack') resolve();
      if (message.type === 'error') faults.push(...errorFaults({ errors: message.payload }));
      if (message.type === 'next') faults.push(...errorFaults(message.payload));
      if (message.type !== 'complete' && message.type !== 'error') return;
      waitedFor.delete(message.id);
      if (waitedFor.size === 0) socket.close();
    });
  });
  socket.on('error', (error) => faults.push(`the socket failed: ${error.message}`));
  await Promise.race([once(socket, 'open'), closed]);
  const [opening, ...rest] = frames;
  if (opening !== undefined) socket.send(opening);
  // What comes before the answer to the first message closes the socket, and nothing behind that would be tried.
  if (opening === soundOpening) await Promise.race([acknowledged, closed]);
  for (const frame of rest) socket.send(frame);
  const leaving = setTimeout(() => socket.close(), waitMs);
  const [code, reason] = await closed;
  clearTimeout(leaving);
  // 1005 and 1000 are ours, 44xx say what was wrong with what we sent, 1007 that it was no text.
  if (![1000, 1005, 1007].includes(code) && !(code >= 4400 && code < 4500))
    faults.push(`closed with ${code} ${reason}`);
  return faults;
}

/** The id of the operation that the frame begins, where it does. */
function operationIn(frame: string | Buffer): string[] {
  const [, id] = /^\{"id":"(\w+)","type":"subscribe"/.exec(String(frame)) ?? [];
  return id === undefined ? [] : [id];
}
