import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGatewayWithVendor, type TestGateway } from '../../helpers/gateway.ts';
import type { Vendor } from '../../helpers/vendor/vendor.ts';
import {
  chatOperation,
  openStream,
  runEventsOperation,
  runOf,
  type StreamEvent,
  seqsOf,
  startOperation,
  textOf,
  upTo,
} from './streams.ts';

let running: Awaited<ReturnType<typeof startGatewayWithVendor>>;
let gateway: TestGateway;
let vendor: Vendor;
beforeAll(async () => {
  running = await startGatewayWithVendor({ vendor: { defaults: { tokensPerSecond: 60 } } });
  ({ gateway, vendor } = running);
});
afterAll(() => running[Symbol.asyncDispose]());

/** Mulberry32: small, and the same for the same seed everywhere. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Followed {
  readonly events: readonly StreamEvent[];
  readonly cuts: number;
}

/** Follows to the end over sockets of which the first `cuts` are destroyed, each at a moment of its own. */
async function followWithCuts(
  operation: string,
  variables: Readonly<Record<string, unknown>>,
  cutAfterMs: readonly number[],
): Promise<Followed> {
  const events: StreamEvent[] = [];
  let cuts = 0;
  for (;;) {
    const stream = openStream(gateway, operation, { ...variables, after: events.at(-1)?.cursor ?? null });
    const afterMs = cutAfterMs[cuts];
    const gone = new AbortController();
    let wasCut = false;
    if (afterMs !== undefined) {
      sleep(afterMs, undefined, { signal: gone.signal }).then(
        () => {
          wasCut = true;
          stream.cut();
        },
        () => {},
      );
    }
    for await (const event of stream) events.push(event);
    gone.abort();
    if (events.at(-1)?.__typename === 'RunFinished') return { events, cuts };
    if (!wasCut) throw new Error('a stream ended by itself before its run did');
    cuts += 1;
  }
}

test('20 streams, cut at random more than 50 times and resumed by cursor, bring every event once and every text whole', async () => {
  const seed = randomInt(2 ** 31);
  const random = randomOf(seed);
  const plans = Array.from({ length: 20 }, (_, index) => ({
    runId: randomUUID(),
    message: `Question ${index}: what is it that nobody has asked before, and why not?`,
    // A socket takes some milliseconds to open: the shortest are cut in their handshake.
    cutAfterMs: Array.from({ length: 3 + Math.floor(random() * 4) }, () => Math.floor(random() * 200)),
    overChat: index % 2 === 0,
  }));
  try {
    const followed = await Promise.all(
      plans.map(async ({ runId, message, cutAfterMs, overChat }) => {
        const input = { runId, message };
        if (overChat) return followWithCuts(chatOperation, { input }, cutAfterMs);
        await gateway.data(startOperation, { input });
        return followWithCuts(runEventsOperation, { runId }, cutAfterMs);
      }),
    );
    expect(followed.reduce((sum, { cuts }) => sum + cuts, 0)).toBeGreaterThan(50);
    for (const [index, { events }] of followed.entries()) {
      const { runId = '' } = plans[index] ?? {};
      const run = await runOf(gateway, runId);
      expect(seqsOf(events)).toEqual(upTo(events.length));
      expect(textOf(events).length).toBeGreaterThan(100);
      expect(run?.reply).toMatchObject({ text: textOf(events), finishReason: 'STOP' });
      expect(run?.status).toBe('SUCCEEDED');
    }
    expect(vendor.calls('/chat/completions')).toHaveLength(20);
  } catch (error) {
    throw new Error(`with the seed ${seed}`, { cause: error });
  }
});
