import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { configFile } from '../../helpers/config-file.ts';
import { temporaryDataDirectory } from '../../helpers/embedded-database.ts';
import { startGateway } from '../../helpers/gateway.ts';
import { startGatewayProcess } from '../../helpers/gateway-process.ts';
import { startVendor, type Vendor } from '../../helpers/vendor/vendor.ts';
import {
  all,
  chatOperation,
  isDelta,
  openStream,
  pagesOf,
  runEventsOperation,
  runOf,
  type StreamEvent,
  startOperation,
  until,
} from './streams.ts';

const opened = new AsyncDisposableStack();
let vendor: Vendor;
let dataDir: string;
let environment: Readonly<Record<string, string>>;
beforeAll(async () => {
  vendor = opened.use(await startVendor({ defaults: { tokensPerSecond: 20 } }));
  dataDir = opened.use(await temporaryDataDirectory()).path;
  ({ environment } = opened.use(await configFile({ limits: { maxRuns: 2 }, timeouts: { drainMs: 1_000 } })));
});
afterAll(() => opened.disposeAsync());

test('runs of a process that was killed go on when the next one starts, and their conversations too', async () => {
  await using killed = await startGatewayProcess({
    dataDir,
    environment: {
      ...environment,
      SLUICE_SEED_DOCS: 'false',
      OPENAI_BASE_URL: vendor.url,
      OPENAI_API_KEY: 'sk-test-0123456789abcdef',
    },
  });
  // Under way until the kill, however long that takes to come.
  vendor.next({ silentAfter: 8 }, { silentAfter: 8 });
  const start = async (input: Readonly<Record<string, unknown>>) =>
    (await killed.data<StartData>(startOperation, { input })).startChat.run;
  const asked = { runId: randomUUID(), message: 'What was interrupted?' };
  const unstored = { runId: randomUUID(), message: 'What was not kept?', store: false };
  const queued = { runId: randomUUID(), message: 'What had not begun?' };
  const conversationId = (await start(asked)).conversation?.id ?? expect.unreachable();
  await start(unstored);
  expect((await start(queued)).status).toBe('QUEUED');
  const before = openStream({ webSocketUrl: killed.url.replace(/^http/, 'ws') }, runEventsOperation, asked)[
    Symbol.asyncIterator
  ]();
  await until(before, isDelta);
  const { cursor } = await until(before, isDelta);

  const calls = vendor.calls('/chat/completions');
  expect(calls).toHaveLength(2);
  await killed.kill();
  for (const call of calls) expect((await vendor.waitForClose(call)).completed).toBe(false);
  await expect(until(before, ({ __typename }) => __typename === 'RunFailed')).rejects.toThrow('ended before');

  await using gateway = await startGateway({ environment, vendor, dataDir });
  const follow = (runId: string, after: string | null): Promise<StreamEvent[]> =>
    all(openStream(gateway, runEventsOperation, { runId, after }));
  // Its log has died with the process: a gap for what was, and the answer from its beginning.
  const events = await follow(asked.runId, cursor);
  expect(events.map(({ __typename }) => __typename).slice(0, 4)).toEqual([
    'StreamGap',
    'RunStarted',
    'TextMessageStarted',
    'TextMessageReset',
  ]);
  expect(events.at(-1)?.__typename).toBe('RunFinished');
  const seqs = events.map(({ seq }) => seq);
  expect(seqs).toEqual(seqs.map((_, index) => (seqs[0] ?? 0) + index));
  const text = events.map(({ delta }) => delta ?? '').join('');
  for (const { runId } of [asked, queued]) {
    expect(await runOf(gateway, runId)).toMatchObject({ status: 'SUCCEEDED', error: null });
  }
  expect((await runOf(gateway, asked.runId))?.reply?.text).toBe(text);
  // One that had not begun has nothing to be missed.
  expect((await follow(queued.runId, null))[0]).toMatchObject({ seq: 1, __typename: 'RunStarted' });
  expect(await runOf(gateway, unstored.runId)).toBeNull();

  expect(await follow(asked.runId, null)).toEqual(events);
  expect(await follow(asked.runId, events[0]?.cursor ?? '')).toEqual(events.slice(1));
  expect(await follow(asked.runId, events.at(-1)?.cursor ?? '')).toEqual([]);
  expect(await pagesOf(gateway, asked.runId, 100)).toEqual(events);
  // Sent again it is the run that went on, and nothing is spent.
  expect(await all(openStream(gateway, chatOperation, { input: asked }))).toEqual(events);
  expect(vendor.calls('/chat/completions')).toHaveLength(4);

  vendor.next({ reply: 'It goes on.', tokensPerSecond: 0 });
  const next = { runId: randomUUID(), message: 'And now?', conversationId };
  expect((await all(openStream(gateway, chatOperation, { input: next }))).at(-1)?.__typename).toBe('RunFinished');
  const { node } = await gateway.data<ConversationData, unknown>(conversationQuery, { id: conversationId });
  expect(node.messages.edges.map(({ node: { role, text } }) => `${role} ${text}`)).toEqual([
    'USER What was interrupted?',
    `ASSISTANT ${text}`,
    'USER And now?',
    'ASSISTANT It goes on.',
  ]);
}, 180_000);

const conversationQuery = `query RunsConversation($id: ID!) {
  node(id: $id) { ... on Conversation { messages { edges { node { role text } } } } }
}`;
interface ConversationData {
  readonly node: {
    readonly messages: {
      readonly edges: readonly { readonly node: { readonly role: string; readonly text: string } }[];
    };
  };
}
interface StartData {
  readonly startChat: {
    readonly run: { readonly status: string; readonly conversation: { readonly id: string } | null };
  };
}
