import { once } from 'node:events';
import fc from 'fast-check';
import type { GraphQLSchema } from 'graphql';
import { WebSocket } from 'ws';
import type { Draw } from './hostile-values.ts';
import { operation } from './operations.ts';
import { damaged } from './requests.ts';
import { errorFaults } from './send.ts';

/** What is sent on one socket, in this order. */
export type FuzzFrames = readonly (string | Buffer)[];

const id = fc.constantFrom('1', '2', '3', '__proto__', 'a'.repeat(2_000));

export function socketFrames(schema: GraphQLSchema): fc.Arbitrary<FuzzFrames> {
  return fc.gen().map((generate) => {
    const draw: Draw = (arbitrary) => generate(() => arbitrary);
    const opening = draw(
      fc.oneof(
        { weight: 12, arbitrary: fc.constant<FuzzFrames>(['{"type":"connection_init"}']) },
        {
          weight: 1,
          arbitrary: fc.constantFrom<FuzzFrames>(
            [],
            ['{"type":"connection_init","payload":7}'],
            ['{"type":"connection_init"}', '{"type":"connection_init"}'],
          ),
        },
      ),
    );
    const frames = Array.from({ length: draw(fc.integer({ min: 1, max: 6 })) }, (_, index) =>
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
  return draw(fc.oneof({ weight: 3, arbitrary: fc.constant(sound) }, { weight: 2, arbitrary: fc.constant(broken) }))();
}

const waitMs = 700;

/** Sends them all, listens for a while, and says what is wrong with what came. */
export async function faultsOnSocket(url: string, frames: FuzzFrames): Promise<string[]> {
  const faults: string[] = [];
  const socket = new WebSocket(url, 'graphql-transport-ws');
  const operations = new Set<string>();
  const closed = once(socket, 'close');
  socket.on('error', (error) => faults.push(`the socket failed: ${error.message}`));
  socket.on('message', (data) => {
    const text = String(data);
    if (text.includes('"INTERNAL"')) faults.push(`an INTERNAL error: ${text.slice(0, 2_000)}`);
    const message = JSON.parse(text);
    if (message.type === 'error') faults.push(...errorFaults({ errors: message.payload }));
    if (message.type === 'next') faults.push(...errorFaults(message.payload));
    if (message.type === 'complete' || message.type === 'error') operations.delete(message.id);
    if (operations.size === 0) socket.close();
  });
  await Promise.race([once(socket, 'open'), closed]);
  for (const frame of frames) socket.send(frame);
  const leaving = setTimeout(() => socket.close(), waitMs);
  const [code, reason] = await closed;
  clearTimeout(leaving);
  // 1005 and 1000 are ours, 44xx say what was wrong with what we sent, 1007 that it was no text.
  if (![1000, 1005, 1007].includes(code) && !(code >= 4400 && code < 4500))
    faults.push(`closed with ${code} ${reason}`);
  return faults;
}
