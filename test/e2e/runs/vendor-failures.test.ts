import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configFile } from '../../helpers/config-file.ts';
import { startGateway, startGatewayWithVendor, type TestGateway } from '../../helpers/gateway.ts';
import type { Behaviour } from '../../helpers/vendor/behaviour.ts';
import type { VendorCall } from '../../helpers/vendor/journal.ts';
import type { Vendor } from '../../helpers/vendor/vendor.ts';
import {
  all,
  chatOperation,
  namesOf,
  openStream,
  type RunData,
  runEventsOperation,
  runOf,
  type StreamEvent,
  seqsOf,
  textOf,
  upTo,
} from './streams.ts';

const timeouts = { firstTokenMs: 400, idleMs: 300, totalMs: 3_500 };
const opened = new AsyncDisposableStack();
let gateway: TestGateway;
let vendor: Vendor;
beforeAll(async () => {
  const { environment } = opened.use(await configFile({ timeouts }));
  ({ gateway, vendor } = opened.use(await startGatewayWithVendor({ environment })));
});
afterAll(() => opened.disposeAsync());

interface Ended {
  readonly events: readonly StreamEvent[];
  readonly run: RunData;
  readonly calls: readonly VendorCall[];
}

/** One chat whose provider calls meet these behaviours, one after the other. Each has a model, and so a circuit, of its own. */
async function chatMeeting(
  behaviours: readonly Behaviour[],
  input: Readonly<Record<string, unknown>> = {},
): Promise<Ended> {
  const runId = randomUUID();
  const model = `model-${runId}`;
  const ofModel = ({ body }: VendorCall) => (body as { model?: string } | null)?.model === model;
  let planned = behaviours.length;
  // The last one stands for all further calls.
  const removals = behaviours.toReversed().map((behaviour, index) => {
    const nth = planned--;
    return vendor.when(
      (call) => ofModel(call) && (index === 0 || vendor.calls('/chat/completions').filter(ofModel).length === nth),
      behaviour,
    );
  });
  const events = await all(openStream(gateway, chatOperation, { input: { runId, message: 'Why?', model, ...input } }));
  const run = (await runOf(gateway, runId)) ?? expect.unreachable();
  for (const remove of removals) remove();
  expect(seqsOf(events)).toEqual(upTo(events.length));
  expect(await all(openStream(gateway, runEventsOperation, { runId }))).toEqual(events);
  return { events, run, calls: vendor.calls('/chat/completions').filter(ofModel) };
}

/** Failed with this error, in the log as in the run. */
function expectFailure({ events, run }: Ended, error: Readonly<Record<string, unknown>>): void {
  expect(events.at(-1)).toMatchObject({ __typename: 'RunFailed', error });
  expect(run).toMatchObject({ status: 'FAILED', error: events.at(-1)?.error, usage: events.at(-1)?.usage });
  expect(namesOf(events)).not.toContain('RunFinished');
}

/** What had come stays: in the log with an end that says ERROR, in the reply, and on the bill. */
function expectPartialReply({ events, run }: Ended): void {
  expect(events.at(-2)).toMatchObject({ __typename: 'TextMessageEnded', finishReason: 'ERROR' });
  expect(textOf(events).length).toBeGreaterThan(0);
  expect(run.reply).toMatchObject({ text: textOf(events), finishReason: 'ERROR' });
  expect(run.usage).toMatchObject({ calls: 1, estimated: true });
  expect(run.usage.inputTokens).toBeGreaterThan(0);
  expect(run.usage.outputTokens).toBeGreaterThan(0);
}

function expectNoReply({ events, run }: Ended, used: object = {}): void {
  expect(textOf(events)).toBe('');
  expect(run.reply).toBeNull();
  expect(run.usage).toMatchObject({ calls: 0, outputTokens: 0, ...used });
}

describe.concurrent('a vendor that fails in mid-stream', () => {
  const unavailable = { code: 'UPSTREAM_UNAVAILABLE', retryable: true };
  const broken: Readonly<Record<string, [Behaviour, Readonly<Record<string, unknown>>]>> = {
    'falls silent': [
      { silentAfter: 5 },
      { code: 'UPSTREAM_TIMEOUT', retryable: true, details: { phase: 'IDLE' }, message: /300 ms/ },
    ],
    'cuts its socket': [{ cutAfter: 5 }, unavailable],
    'sends a malformed chunk': [{ malformedAfter: 5 }, unavailable],
    'ends without a finish': [{ finishReason: null }, unavailable],
    'ends without a finish and without [DONE]': [{ finishReason: null, doneMark: false, usage: false }, unavailable],
    'sends an error in its stream': [{ errorAfter: 5 }, unavailable],
    'sends an error that is no fault of its own': [
      { errorAfter: 5, error: { code: 'content_filter', message: 'It was filtered.' } },
      { code: 'UPSTREAM_REJECTED', retryable: false, message: /filtered/ },
    ],
    'takes longer than the total timeout': [
      { tokensPerSecond: 8 },
      { code: 'UPSTREAM_TIMEOUT', retryable: true, details: { phase: 'TOTAL' } },
    ],
  };
  for (const [name, [behaviour, { message, ...error }]] of Object.entries(broken)) {
    test(`and ${name} fails the run, is not tried again, and what had come is kept and counted`, async () => {
      const ended = await chatMeeting([behaviour]);
      expectFailure(ended, error);
      if (message instanceof RegExp) expect(ended.run.error?.message).toMatch(message);
      expectPartialReply(ended);
      expect(ended.calls).toHaveLength(1);
      expect(ended.calls[0]?.closedAt).not.toBeNull();
    });
  }

  test('and takes longer than the timeoutMs of the input fails the run by that', async () => {
    const ended = await chatMeeting([{ tokensPerSecond: 20 }], { timeoutMs: 500 });
    expectFailure(ended, { code: 'UPSTREAM_TIMEOUT', retryable: true, details: { phase: 'TOTAL' } });
    expect(ended.run.error?.message).toContain('500');
    expectPartialReply(ended);
  });

  test('but says why it stopped early has not failed: the reply carries its reason', async () => {
    for (const [finishReason, kept] of [
      ['content_filter', 'CONTENT_FILTER'],
      ['length', 'LENGTH'],
    ]) {
      const { events, run } = await chatMeeting([{ finishReason: finishReason ?? null }]);
      expect(events.at(-1)?.__typename).toBe('RunFinished');
      expect(events.at(-2)).toMatchObject({ __typename: 'TextMessageEnded', finishReason: kept });
      expect(run).toMatchObject({ status: 'SUCCEEDED', reply: { text: textOf(events), finishReason: kept } });
    }
  });
});

describe.concurrent('a vendor that fails before its first token', () => {
  test('is tried again: one run, and no text twice', async () => {
    const failures: Behaviour[] = [
      { status: 429, headers: { 'retry-after-ms': '50' } },
      { status: 500 },
      { cutAfter: 0 },
      { firstTokenMs: 5_000 },
    ];
    await Promise.all(
      failures.map(async (failure) => {
        const { events, run, calls } = await chatMeeting([failure, { reply: 'Said once, and for all.' }]);
        expect(calls).toHaveLength(2);
        expect(textOf(events)).toBe('Said once, and for all.');
        expect(events.filter(({ __typename }) => __typename === 'TextMessageStarted')).toHaveLength(1);
        expect(namesOf(events)).not.toContain('TextMessageReset');
        expect(run).toMatchObject({ status: 'SUCCEEDED', reply: { text: 'Said once, and for all.' } });
      }),
    );
  });

  test('is given the pause that it asked for', async () => {
    const { calls } = await chatMeeting([{ status: 429, headers: { 'retry-after': '1' } }, {}]);
    const [first, second] = calls;
    expect((second?.startedAt ?? 0) - (first?.startedAt ?? 0)).toBeGreaterThanOrEqual(1_000);
  });

  test('by 429 for ever is RATE_LIMITED, and says when to come again', async () => {
    const ended = await chatMeeting([{ status: 429, headers: { 'retry-after-ms': '30' } }]);
    expectFailure(ended, {
      code: 'RATE_LIMITED',
      retryable: true,
      retryAfterMs: 30,
      details: { retryAfterMs: 30, attempts: 3 },
    });
    expectNoReply(ended);
  });

  test('by 500 for ever is UPSTREAM_UNAVAILABLE, and counts its attempts', async () => {
    const ended = await chatMeeting([{ status: 500 }]);
    expectFailure(ended, { code: 'UPSTREAM_UNAVAILABLE', retryable: true });
    expect(ended.run.error?.details).toEqual({ attempts: 3 });
    expect(ended.calls).toHaveLength(3);
    expectNoReply(ended);
  });

  test('by silence is UPSTREAM_TIMEOUT in the phase FIRST_TOKEN', async () => {
    const ended = await chatMeeting([{ firstTokenMs: 10_000 }]);
    expectFailure(ended, { code: 'UPSTREAM_TIMEOUT', retryable: true });
    expect(ended.run.error?.details).toEqual({ phase: 'FIRST_TOKEN', attempts: 3 });
    // Nobody knows what a silent vendor bills: what was sent to it each time is counted.
    expectNoReply(ended, { calls: 3, estimated: true });
    for (const call of ended.calls) expect((await vendor.waitForClose(call)).completed).toBe(false);
  });

  test('by refusing the input is UPSTREAM_REJECTED, says what it said, and is not tried again', async () => {
    const ended = await chatMeeting([
      {
        status: 400,
        error: { code: 'context_length_exceeded', message: "This model's maximum context length is 8 tokens." },
      },
    ]);
    expectFailure(ended, { code: 'UPSTREAM_REJECTED', retryable: false });
    expect(ended.run.error?.message).toContain('maximum context length is 8 tokens');
    expect(ended.calls).toHaveLength(1);
    expectNoReply(ended);
  });
});

describe('a provider that does not answer at all', () => {
  let unreachable: TestGateway;
  beforeAll(async () => {
    unreachable = opened.use(
      await startGateway({
        environment: {
          OPENAI_BASE_URL: `http://127.0.0.1:${await freePort()}/v1`,
          OPENAI_API_KEY: 'sk-test-0123456789',
        },
      }),
    );
  });

  test('does not keep the gateway from starting; models and health say so', async () => {
    const { models } = await unreachable.data<{ models: readonly { name: string; provider: string }[] }, unknown>(
      'query RunsModels { models { name provider } }',
    );
    expect(models.map(({ name }) => name)).toContain('gpt-4.1-mini');
    const { health } = await unreachable.data<HealthData, unknown>(
      'query RunsHealth { health { ok components { name ok detail } } }',
    );
    expect(health.ok).toBe(false);
    expect(health.components.filter(({ ok }) => !ok)).toMatchObject([
      { name: 'openai', detail: expect.stringContaining('127.0.0.1') },
    ]);
  });

  test('fails a chat as UPSTREAM_UNAVAILABLE, with its attempts, and names its address', async () => {
    const runId = randomUUID();
    const events = await all(openStream(unreachable, chatOperation, { input: { runId, message: 'Why?' } }));
    expect(events.at(-1)).toMatchObject({
      __typename: 'RunFailed',
      error: {
        code: 'UPSTREAM_UNAVAILABLE',
        retryable: true,
        message: expect.stringMatching(/127\.0\.0\.1.*ECONNREFUSED/),
        details: { attempts: 3 },
      },
    });
    expect(await runOf(unreachable, runId)).toMatchObject({ status: 'FAILED', reply: null });
  });
});

interface HealthData {
  readonly health: {
    readonly ok: boolean;
    readonly components: readonly { readonly name: string; readonly ok: boolean; readonly detail: string | null }[];
  };
}

/** A port that nobody listens on any more. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : expect.unreachable();
}
