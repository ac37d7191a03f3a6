import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configFile } from '../../helpers/config-file.ts';
import { ingest, startGatewayWithVendor, type TestGateway } from '../../helpers/gateway.ts';
import { epochMs } from '../../helpers/vendor/journal.ts';
import type { Vendor } from '../../helpers/vendor/vendor.ts';
import {
  all,
  chatOperation,
  isDelta,
  namesOf,
  openStream,
  pagesOf,
  runEventsOperation,
  runOf,
  type StreamEvent,
  seqsOf,
  startOperation,
  textOf,
  until,
  upTo,
} from './streams.ts';

/** The least that the configuration takes. */
const maxEventsPerRun = 100;
const opened = new AsyncDisposableStack();
let gateway: TestGateway;
let vendor: Vendor;
beforeAll(async () => {
  const { environment } = opened.use(await configFile({ log: { maxEventsPerRun } }));
  ({ gateway, vendor } = opened.use(await startGatewayWithVendor({ environment })));
});
afterAll(() => opened.disposeAsync());

const chat = (input: Readonly<Record<string, unknown>>) => openStream(gateway, chatOperation, { input });
const follow = (runId: string, after: string | null = null) =>
  openStream(gateway, runEventsOperation, { runId, after });
const refusalOf = (stream: AsyncIterable<StreamEvent>) =>
  all(stream).then(
    () => expect.unreachable('it was not refused'),
    (error: unknown) => error,
  );

describe.concurrent('a run that is not there yet', () => {
  test('is waited for: a client can follow first and start second', async () => {
    const runId = randomUUID();
    const following = all(follow(runId));
    await sleep(1_200);
    const chatted = await all(chat({ runId, message: 'Why?' }));
    expect(chatted.at(-1)?.__typename).toBe('RunFinished');
    expect(await following).toEqual(chatted);
  });

  test('and does not come within 5 s is NOT_FOUND, on sockets and over server-sent events', async () => {
    const runId = randomUUID();
    const askedAt = epochMs();
    const response = fetch(gateway.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: runEventsOperation, variables: { runId } }),
    });
    expect(await refusalOf(follow(runId))).toMatchObject({
      errors: [{ message: expect.stringContaining(runId), extensions: { code: 'NOT_FOUND' } }],
    });
    expect(epochMs() - askedAt).toBeGreaterThan(4_900);
    const text = await (await response).text();
    expect(text).toContain('NOT_FOUND');
    expect(text).toContain(runId);
  });
});

describe('a run that has ended', () => {
  test('is replayed whole, from any cursor, alike by subscription and by query, and by chat sent again', async () => {
    const runId = randomUUID();
    const seen = await all(chat({ runId, message: 'Why?' }));
    expect(seqsOf(seen)).toEqual(upTo(seen.length));
    expect(await all(follow(runId))).toEqual(seen);
    expect(await all(chat({ runId, message: 'Why?' }))).toEqual(seen);
    for (const first of [1, 2, 500]) expect(await pagesOf(gateway, runId, first)).toEqual(seen);
    for (const [index, { cursor }] of seen.entries()) {
      expect(await all(follow(runId, cursor))).toEqual(seen.slice(index + 1));
    }
  });

  test('refuses what is no cursor of it, and says which argument', async () => {
    const [one] = await all(chat({ message: 'Why?' }));
    const runId = randomUUID();
    await all(chat({ runId, message: 'Why?' }));
    for (const after of [one?.cursor ?? '', 'nonsense', '', '"', 'W10']) {
      const expected = [{ message: expect.stringContaining('after'), extensions: { code: 'BAD_INPUT' } }];
      expect(await refusalOf(follow(runId, after))).toMatchObject({ errors: expected });
      const query =
        'query RunsBadCursor($runId: UUID!, $after: String) { run(runId: $runId) { events(after: $after) { edges { cursor } } } }';
      expect((await gateway.request(query, { runId, after })).errors).toMatchObject(expected);
    }
  });
});

describe('a log that is longer than what is kept', () => {
  test('begins with a gap: then what is left, gapless, and the whole text is on the run', async () => {
    const documents = Array.from({ length: 100 }, (_, index) => ({
      externalId: `lamp-${index}`,
      text: `The lamp of lighthouse number ${index} turns ${index} times an hour.`,
    }));
    await ingest(gateway, documents);
    // A citation is an event of its own, which is not gathered with others.
    const reply = documents.map((_, index) => `The lamp of a lighthouse turns [${index + 1}].`).join(' ');
    vendor.next({ reply, tokensPerSecond: 1_000 });
    const runId = randomUUID();
    const retrieval = { first: 100, mode: 'KEYWORD' };
    await gateway.data(startOperation, { input: { runId, message: 'Which lamp turns how often?', retrieval } });
    const run = await runOf(gateway, runId);
    expect(run?.status).toBe('SUCCEEDED');

    const seen = await all(follow(runId));
    const gap = seen[0] ?? expect.unreachable();
    expect(gap).toMatchObject({ __typename: 'StreamGap', resumeFrom: gap.cursor });
    expect(gap.seq).toBeGreaterThan(1);
    expect(seen).toHaveLength(1 + maxEventsPerRun);
    expect(seqsOf(seen)).toEqual(upTo(seen.length).map((index) => gap.seq + index - 1));
    expect(seen.at(-1)?.__typename).toBe('RunFinished');
    expect(await all(follow(runId, gap.resumeFrom))).toEqual(seen.slice(1));
    for (const first of [1, 7, 500]) expect(await pagesOf(gateway, runId, first)).toEqual(seen);
    const kept = textOf(seen);
    expect(run?.reply?.text.endsWith(kept)).toBe(true);
    expect(run?.reply?.text.length).toBeGreaterThan(kept.length);
  });
});

describe('textSoFar', () => {
  const fields = '__typename seq cursor ... on TextMessageDelta { delta textSoFar }';
  const operation = `subscription RunsTextSoFar($runId: UUID!, $after: String) {
    event: runEvents(runId: $runId, after: $after) { ${fields} }
  }`;
  type TextEvent = StreamEvent & { readonly textSoFar?: string };
  const textsOf = (events: readonly TextEvent[]) => events.flatMap(({ textSoFar }) => textSoFar ?? []);

  test('is the whole text at every delta, also when resumed, when read by query, and after a reset', async () => {
    vendor.next(
      { reply: 'Surely: it is forty-two, as everybody knows.', tokensPerSecond: 50 },
      { reply: '{"answer": "forty-two", "sure": true}', tokensPerSecond: 50 },
    );
    const runId = randomUUID();
    const responseSchema = { type: 'object', properties: { answer: { type: 'string' } }, required: ['answer'] };
    await gateway.data(startOperation, { input: { runId, message: 'What is it?', responseSchema } });
    const events: TextEvent[] = await all(openStream(gateway, operation, { runId }));
    expect(events.at(-1)?.__typename).toBe('RunFinished');
    const resetAt = events.findIndex(({ __typename }) => __typename === 'TextMessageReset');
    expect(resetAt).toBeGreaterThan(0);
    const before = textsOf(events.slice(0, resetAt));
    const after = textsOf(events.slice(resetAt));
    expect(before.length).toBeGreaterThan(1);
    expect(after.length).toBeGreaterThan(1);
    expect(after.at(-1)).toBe((await runOf(gateway, runId))?.reply?.text);
    let text = '';
    for (const { __typename, delta = '', textSoFar } of events) {
      text = __typename === 'TextMessageReset' ? '' : text + delta;
      if (textSoFar !== undefined) expect(textSoFar).toBe(text);
    }
    for (const [index, { cursor }] of events.entries()) {
      expect(await all(openStream(gateway, operation, { runId, after: cursor }))).toEqual(events.slice(index + 1));
    }
    const query = `query RunsTextSoFarPage($runId: UUID!, $after: String) {
      run(runId: $runId) { events(after: $after) { edges { node { ${fields} } } } }
    }`;
    for (const from of [0, 3, resetAt + 2]) {
      const page = await gateway.data<PageData, unknown>(query, { runId, after: events[from - 1]?.cursor ?? null });
      expect(page.run.events.edges.map(({ node }) => node)).toEqual(events.slice(from));
    }
  });

  interface PageData {
    readonly run: { readonly events: { readonly edges: readonly { readonly node: TextEvent }[] } };
  }
});

describe('deltas', () => {
  test('are gathered: a vendor of 10,000 tokens a second makes far fewer events than tokens, and no text is lost', async () => {
    const reply = Array.from({ length: 5_000 }, (_, index) => `word${index}`).join(' ');
    vendor.next({ reply, tokensPerSecond: 10_000 });
    const events = await all(chat({ message: 'Say all of them.' }));
    expect(textOf(events)).toBe(reply);
    const deltas = events.filter(isDelta);
    // Half a second at one event in 20 to 50 ms; it takes longer on a machine that is busy.
    expect(deltas.length).toBeGreaterThan(3);
    expect(deltas.length).toBeLessThan(250);
  });

  test('begin at once: the first one is not held back for others to join it', async () => {
    const waits: number[] = [];
    for (let round = 0; round < 8; round++) {
      // Then nothing, for longer than any interval: only a first token that is passed on by itself can arrive early.
      vendor.next({ reply: 'First and last.', silentAfter: 1 });
      const runId = randomUUID();
      const stream = chat({ runId, message: 'Quick!' });
      const reader = stream[Symbol.asyncIterator]();
      await until(reader, ({ __typename }) => __typename === 'TextMessageStarted');
      const call = vendor.calls('/chat/completions').at(-1) ?? expect.unreachable();
      const sent = vendor.waitForTokens(call, 1).then(epochMs);
      const first = await until(reader, isDelta);
      const arrivedAt = epochMs();
      expect(first.delta).toBe('First');
      waits.push(arrivedAt - (await sent));
      await gateway.data('mutation RunsStop($runId: UUID!) { cancelRun(runId: $runId) { run { status } } }', { runId });
      expect(namesOf(await all({ [Symbol.asyncIterator]: () => reader }))).toEqual([
        'TextMessageEnded',
        'RunCancelled',
      ]);
    }
    // The best of eight, since the machine may be busy: below the shortest interval that deltas are gathered for.
    expect(Math.min(...waits)).toBeLessThan(20);
  });
});
