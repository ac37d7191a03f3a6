import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGatewayWithVendor, type TestGateway } from '../../helpers/gateway.ts';
import type { VendorCall } from '../../helpers/vendor/journal.ts';
import type { Vendor } from '../../helpers/vendor/vendor.ts';
import { all, chatOperation, openStream, Refused, runOf, seqsOf, startOperation, textOf, upTo } from './streams.ts';

let running: Awaited<ReturnType<typeof startGatewayWithVendor>>;
let gateway: TestGateway;
let vendor: Vendor;
beforeAll(async () => {
  running = await startGatewayWithVendor({ vendor: { defaults: { tokensPerSecond: 200 } } });
  ({ gateway, vendor } = running);
});
afterAll(() => running[Symbol.asyncDispose]());

interface StartData {
  readonly startChat: {
    readonly run: {
      readonly runId: string;
      readonly status: string;
      readonly conversation: { readonly id: string } | null;
    };
  };
}
type Input = Readonly<Record<string, unknown>>;
const start = async (input: Input) => (await gateway.data<StartData, unknown>(startOperation, { input })).startChat.run;
const refusalOf = async (input: Input) => (await gateway.request(startOperation, { input })).errors?.[0];
const callsWith = (message: string): readonly VendorCall[] =>
  vendor.calls('/chat/completions').filter(({ body }) => JSON.stringify(body).includes(message));
/** A message that no other test sends. */
const fresh = () => ({ runId: randomUUID(), message: `What is ${randomUUID()}?` });

describe('the same runId with the same input', () => {
  test.each([true, false])(
    'is one run and one provider call, 20 times at once, on all doors (store: %s)',
    async (store) => {
      const input = { ...fresh(), store };
      const starts = Array.from({ length: 10 }, () => start(input));
      const chats = Array.from({ length: 10 }, () => all(openStream(gateway, chatOperation, { input })));
      const runs = await Promise.all(starts);
      const followed = await Promise.all(chats);
      expect(new Set(runs.map(({ runId, conversation }) => `${runId} ${conversation?.id}`)).size).toBe(1);
      expect(runs[0]?.conversation === null).toBe(!store);
      for (const events of followed) expect(events).toEqual(followed[0]);
      expect(seqsOf(followed[0] ?? [])).toEqual(upTo(followed[0]?.length ?? 0));
      expect(callsWith(input.message)).toHaveLength(1);
      expect((await runOf(gateway, input.runId))?.reply?.text).toBe(textOf(followed[0] ?? []));
    },
  );

  test('after its end is the run as it ended, whatever was started in the meantime, and spends nothing', async () => {
    const input = fresh();
    const { conversation } = await start(input);
    const ended = await runOf(gateway, input.runId);
    expect(ended?.status).toBe('SUCCEEDED');
    await runOf(gateway, (await start({ ...fresh(), conversationId: conversation?.id })).runId);
    expect(await start(input)).toMatchObject({ runId: input.runId, status: 'SUCCEEDED', conversation });
    expect(textOf(await all(openStream(gateway, chatOperation, { input })))).toBe(ended?.reply?.text);
    expect(await runOf(gateway, input.runId)).toEqual(ended);
    expect(callsWith(input.message)).toHaveLength(1 + 1); // its own, and as history of the next turn
  });

  test('in upper case is the same run', async () => {
    const input = fresh();
    await start({ ...input, runId: input.runId.toUpperCase() });
    expect((await start(input)).runId).toBe(input.runId);
    expect((await runOf(gateway, input.runId.toUpperCase()))?.runId).toBe(input.runId);
    expect(callsWith(input.message)).toHaveLength(1);
  });

  test('of a failed run is that failed run: a new try takes a new runId', async () => {
    const input = fresh();
    const remove = vendor.when(({ body }) => JSON.stringify(body).includes(input.message), { cutAfter: 2 });
    await start(input);
    const failed = await runOf(gateway, input.runId);
    remove();
    expect(await start(input)).toMatchObject({ status: 'FAILED' });
    expect(await runOf(gateway, input.runId)).toEqual(failed);
    expect(callsWith(input.message)).toHaveLength(1);
  });
});

describe('the same runId with another input', () => {
  test('is CONFLICT, which names it, on all doors', async () => {
    const input = fresh();
    await start(input);
    const others: Input[] = [
      { ...input, message: 'Another?' },
      { ...input, temperature: 0.5 },
      { ...input, store: false },
      { ...input, user: 'somebody' },
    ];
    for (const other of others) {
      const conflict = {
        message: expect.stringContaining(input.runId),
        extensions: { code: 'CONFLICT', runId: input.runId },
      };
      expect(await refusalOf(other)).toMatchObject(conflict);
      const refused = await all(openStream(gateway, chatOperation, { input: other })).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(Refused);
      expect(refused).toMatchObject({ errors: [conflict] });
    }
    const unstored = { ...fresh(), store: false };
    await start(unstored);
    expect(await refusalOf({ ...unstored, store: true })).toMatchObject({ extensions: { code: 'CONFLICT' } });
  });
});

describe('two turns of one conversation', () => {
  test('at the same time are CONFLICT, which names the run, unless the second is a branch', async () => {
    const first = fresh();
    const { conversation } = await start(first);
    const conversationId = conversation?.id;
    const messageId = (await runOf(gateway, first.runId))?.reply?.id;
    expect(messageId).toBeDefined();

    const gate = Promise.withResolvers<void>();
    const busy = { ...fresh(), conversationId };
    const remove = vendor.when(({ body }) => JSON.stringify(body).includes(busy.message), { hold: gate.promise });
    await start(busy);
    expect(await refusalOf({ ...fresh(), conversationId })).toMatchObject({
      message: expect.stringContaining(busy.runId),
      extensions: { code: 'CONFLICT', retryable: true, runId: busy.runId },
    });
    const branch = { ...fresh(), conversationId, parentMessageId: messageId };
    await start(branch);
    expect((await runOf(gateway, branch.runId))?.status).toBe('SUCCEEDED');
    gate.resolve();
    remove();
    expect((await runOf(gateway, busy.runId))?.status).toBe('SUCCEEDED');
  });

  test('started 10 at once: one is taken, the others are told which', async () => {
    const first = fresh();
    const { conversation } = await start(first);
    await runOf(gateway, first.runId);
    const turns = Array.from({ length: 10 }, () => ({ ...fresh(), conversationId: conversation?.id }));
    const results = await Promise.all(
      turns.map((input) => gateway.request<StartData, unknown>(startOperation, { input })),
    );
    const taken = results.filter(({ errors }) => errors === undefined);
    expect(taken).toHaveLength(1);
    const runId = taken[0]?.data?.startChat.run.runId;
    for (const { errors } of results) {
      if (errors) expect(errors[0]).toMatchObject({ extensions: { code: 'CONFLICT', runId } });
    }
    expect((await runOf(gateway, runId ?? ''))?.status).toBe('SUCCEEDED');
  });
});

test('chat with a cursor of another run is BAD_INPUT, and starts nothing', async () => {
  const other = await all(openStream(gateway, chatOperation, { input: fresh() }));
  for (const input of [fresh(), { message: fresh().message }]) {
    const variables = { input, after: other[0]?.cursor };
    const refused = await all(openStream(gateway, chatOperation, variables)).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      errors: [{ extensions: { code: 'BAD_INPUT' }, message: expect.stringContaining('after') }],
    });
    expect(callsWith(input.message)).toEqual([]);
    if ('runId' in input) expect(await runOf(gateway, input.runId)).toBeNull();
  }
});

test('chat with a cursor of a run that is gone is NOT_FOUND, and starts nothing', async () => {
  const input = fresh();
  const { conversation } = await start(input);
  const events = await all(openStream(gateway, chatOperation, { input }));
  await gateway.data(`mutation { deleteConversation(id: "${conversation?.id}") { deletedCount } }`);
  const again = all(openStream(gateway, chatOperation, { input, after: events[0]?.cursor }));
  expect(await again.catch((error: unknown) => error)).toMatchObject({
    errors: [{ extensions: { code: 'NOT_FOUND' }, message: expect.stringContaining(input.runId) }],
  });
  expect(callsWith(input.message)).toHaveLength(1);
  expect(await runOf(gateway, input.runId)).toBeNull();
});
