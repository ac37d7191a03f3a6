import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configFile } from '../../helpers/config-file.ts';
import { startGatewayWithVendor, type TestGateway } from '../../helpers/gateway.ts';
import { processorWait } from '../../helpers/processor-wait.ts';
import { epochMs, type VendorCall } from '../../helpers/vendor/journal.ts';
import type { Vendor } from '../../helpers/vendor/vendor.ts';
import {
  all,
  cancelOperation,
  chatOperation,
  isDelta,
  namesOf,
  openStream,
  pagesOf,
  type RunData,
  runEventsOperation,
  runOf,
  seqsOf,
  startOperation,
  textOf,
  until,
  upTo,
} from './streams.ts';

const graceMs = 250;
const opened = new AsyncDisposableStack();
let gateway: TestGateway;
let vendor: Vendor;
beforeAll(async () => {
  const { environment } = opened.use(
    await configFile({ limits: { maxRuns: 2 }, timeouts: { unwatchedGraceMs: graceMs } }),
  );
  // 46 tokens: slow enough to be stopped half-way, without usage when it is.
  const running = opened.use(
    await startGatewayWithVendor({ environment, vendor: { defaults: { tokensPerSecond: 40 } } }),
  );
  ({ gateway, vendor } = running);
});
afterAll(() => opened.disposeAsync());

const cancel = async (runId: string): Promise<RunData> =>
  (await gateway.data<{ cancelRun: { run: RunData } }, unknown>(cancelOperation, { runId })).cancelRun.run;
const chatCalls = (): readonly VendorCall[] => vendor.calls('/chat/completions');

/** Starts a chat and gives the vendor's call of it, once that has sent some tokens. */
async function begun(input: Readonly<Record<string, unknown>>, tokens = 3): Promise<VendorCall> {
  const before = chatCalls().length;
  await gateway.data(startOperation, { input });
  const call = await vendor.waitForCall('/chat/completions', before + 1);
  return vendor.waitForTokens(call, tokens);
}

describe('cancelRun', () => {
  test('in mid-stream closes the vendor socket within 200 ms, and keeps what had come and what it cost', async () => {
    const runId = randomUUID();
    const stream = openStream(gateway, chatOperation, { input: { runId, message: 'Why?' } });
    const reader = stream[Symbol.asyncIterator]();
    const first = await until(reader, isDelta);
    const call = chatCalls().at(-1) ?? expect.unreachable();
    await vendor.waitForTokens(call, 8);

    const [askedAt, waitedMs] = [epochMs(), processorWait()];
    const cancelled = await cancel(runId);
    const { closedAt, completed, tokensSent } = await vendor.waitForClose(call);
    expect((closedAt ?? 0) - askedAt - waitedMs()).toBeLessThan(200);
    expect(completed).toBe(false);
    expect(tokensSent).toBeLessThan(40);

    const rest = await all({ [Symbol.asyncIterator]: () => reader });
    expect(rest.at(-2)).toMatchObject({ __typename: 'TextMessageEnded', finishReason: 'CANCELLED' });
    expect(rest.at(-1)).toMatchObject({
      __typename: 'RunCancelled',
      reason: expect.stringContaining('cancelRun'),
      usage: { calls: 1, estimated: true },
    });
    const text = (first.delta ?? '') + textOf(rest);
    const run = await runOf(gateway, runId);
    expect(run).toMatchObject({
      status: 'CANCELLED',
      error: null,
      reply: { text, finishReason: 'CANCELLED', usage: { estimated: true } },
    });
    expect(run?.usage.inputTokens).toBeGreaterThan(0);
    expect(run?.usage.outputTokens).toBeGreaterThan(5);
    expect(run?.usage).toEqual(rest.at(-1)?.usage);
    expect(cancelled).toMatchObject({ status: 'CANCELLED', usage: run?.usage, reply: { text } });
    const events = await pagesOf(gateway, runId, 500);
    expect(seqsOf(events)).toEqual(upTo(events.length));
  });

  test('is idempotent: twice at once, again after the end, and on a run that has finished', async () => {
    const runId = randomUUID();
    await begun({ runId, message: 'Why?' });
    const [one, two] = await Promise.all([cancel(runId), cancel(runId)]);
    expect(one).toEqual(two);
    expect(await cancel(runId)).toEqual(one);
    expect((await pagesOf(gateway, runId, 500)).filter(({ __typename }) => __typename === 'RunCancelled')).toHaveLength(
      1,
    );

    const finished = randomUUID();
    vendor.next({ reply: 'Short.' });
    await gateway.data(startOperation, { input: { runId: finished, message: 'Why?' } });
    expect((await runOf(gateway, finished))?.status).toBe('SUCCEEDED');
    expect(await cancel(finished)).toMatchObject({
      status: 'SUCCEEDED',
      reply: { text: 'Short.', finishReason: 'STOP' },
    });
  });

  test('of an unknown run is NOT_FOUND, which names it', async () => {
    const runId = randomUUID();
    const { errors } = await gateway.request(cancelOperation, { runId });
    expect(errors).toMatchObject([{ message: expect.stringContaining(runId), extensions: { code: 'NOT_FOUND' } }]);
  });

  test('of a queued run ends it at once, without a provider call', async () => {
    const busy = [randomUUID(), randomUUID()];
    for (const runId of busy) {
      // Until they are cancelled, however long this takes.
      vendor.next({ silentAfter: 1 });
      await begun({ runId, message: 'Why?' }, 1);
    }
    const callsBefore = chatCalls().length;
    const runId = randomUUID();
    const stream = all(openStream(gateway, chatOperation, { input: { runId, message: 'And I?' } }));
    await expect
      .poll(async () => (await gateway.data<StatusData, unknown>(statusOperation, { runId })).run?.status)
      .toBe('QUEUED');
    expect(await cancel(runId)).toMatchObject({ status: 'CANCELLED', reply: null });
    expect(namesOf(await stream)).toEqual(['RunCancelled']);
    for (const other of busy) {
      expect((await gateway.data<StatusData, unknown>(statusOperation, { runId: other })).run?.status).toBe('RUNNING');
      await cancel(other);
    }
    expect(chatCalls()).toHaveLength(callsBefore);
    expect((await runOf(gateway, runId))?.startedAt).toBeNull();
  });
});

describe('whenUnwatched: CANCEL', () => {
  const cancelling = (runId: string) => ({ runId, message: 'Who reads this?', whenUnwatched: 'CANCEL' });

  test.each(['cut', 'leave'] as const)(
    'a last follower that goes (%s) ends the run after the grace period',
    async (go) => {
      const runId = randomUUID();
      const stream = openStream(gateway, chatOperation, { input: cancelling(runId) });
      const reader = stream[Symbol.asyncIterator]();
      await until(reader, isDelta);
      const call = chatCalls().at(-1) ?? expect.unreachable();
      const leftAt = epochMs();
      stream[go]();
      const { closedAt, completed } = await vendor.waitForClose(call);
      expect(completed).toBe(false);
      expect((closedAt ?? 0) - leftAt).toBeGreaterThan(graceMs - 20);
      const run = await runOf(gateway, runId);
      expect(run).toMatchObject({ status: 'CANCELLED', reply: { finishReason: 'CANCELLED' } });
      expect(run?.reply?.text.length).toBeGreaterThan(0);
      const events = await all(openStream(gateway, runEventsOperation, { runId }));
      expect(events.at(-1)).toMatchObject({
        __typename: 'RunCancelled',
        reason: expect.stringContaining('whenUnwatched'),
      });
      expect(textOf(events)).toBe(run?.reply?.text);
    },
  );

  test('goes on while one of two followers stays', async () => {
    const runId = randomUUID();
    const leaver = openStream(gateway, chatOperation, { input: cancelling(runId) });
    await until(leaver[Symbol.asyncIterator](), isDelta);
    const stayer = all(openStream(gateway, runEventsOperation, { runId }));
    leaver.cut();
    const events = await stayer;
    expect(events.at(-1)?.__typename).toBe('RunFinished');
    expect((await runOf(gateway, runId))?.reply).toMatchObject({ text: textOf(events), finishReason: 'STOP' });
  });

  test('goes on when a follower comes back within the grace period, as often as it likes', async () => {
    const runId = randomUUID();
    let cursor: string | null = null;
    // Longer in all than the grace period, which therefore must begin anew each time.
    for (let round = 0; round < 4; round++) {
      const variables = { input: cancelling(runId), after: cursor };
      const stream = openStream(gateway, chatOperation, variables);
      const reader = stream[Symbol.asyncIterator]();
      for (let deltas = 0; deltas < 3; deltas++) ({ cursor } = await until(reader, isDelta));
      stream.cut();
    }
    const rest = await all(openStream(gateway, runEventsOperation, { runId, after: cursor }));
    expect(rest.at(-1)?.__typename).toBe('RunFinished');
    expect(
      chatCalls()
        .filter(({ body }) => JSON.stringify(body).includes('Who reads this?'))
        .at(-1)?.completed,
    ).toBe(true);
  });

  test('counts who waits for run.finished, and who follows over server-sent events', async () => {
    const waiting = randomUUID();
    const finished = `mutation RunsStartAndWait($input: StartChatInput!) {
      startChat(input: $input) { run { finished { status } } }
    }`;
    expect(await gateway.data(finished, { input: cancelling(waiting) })).toEqual({
      startChat: { run: { finished: { status: 'SUCCEEDED' } } },
    });

    const runId = randomUUID();
    const gone = new AbortController();
    const response = await fetch(gateway.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: chatOperation, variables: { input: cancelling(runId) } }),
      signal: gone.signal,
    });
    const body = response.body ?? expect.unreachable();
    const decoder = new TextDecoder();
    let seen = '';
    for await (const chunk of body) {
      seen += decoder.decode(chunk, { stream: true });
      if (seen.includes('TextMessageDelta')) break;
    }
    const call = chatCalls().at(-1) ?? expect.unreachable();
    expect(call.closedAt).toBeNull();
    gone.abort();
    expect((await vendor.waitForClose(call)).completed).toBe(false);
    expect((await runOf(gateway, runId))?.status).toBe('CANCELLED');
  });

  test('ends a run that nobody ever followed', async () => {
    const runId = randomUUID();
    const call = await begun(cancelling(runId));
    expect((await vendor.waitForClose(call)).completed).toBe(false);
    expect((await runOf(gateway, runId))?.status).toBe('CANCELLED');
  });
});

test('whenUnwatched: FINISH goes on without any follower, and saves the reply whole', async () => {
  const runId = randomUUID();
  const stream = openStream(gateway, chatOperation, { input: { runId, message: 'Who reads this?' } });
  await until(stream[Symbol.asyncIterator](), isDelta);
  const call = chatCalls().at(-1) ?? expect.unreachable();
  stream.cut();
  expect((await vendor.waitForClose(call)).completed).toBe(true);
  const run = await runOf(gateway, runId);
  expect(run).toMatchObject({ status: 'SUCCEEDED', reply: { finishReason: 'STOP' }, usage: { estimated: false } });
  expect(run?.reply?.text).toMatch(/^You asked: .*full stop\.$/);
  expect(textOf(await pagesOf(gateway, runId, 3))).toBe(run?.reply?.text);
});

interface StatusData {
  readonly run: { readonly status: string } | null;
}
const statusOperation = 'query RunsStatus($runId: UUID!) { run(runId: $runId) { status } }';
