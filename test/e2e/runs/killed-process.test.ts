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

test('runs of a process that was killed have ended when the next one starts, and their conversations go on', async () => {
  await using killed = await startGatewayProcess({
    dataDir,
    environment: {
      ...environment,
      SLUICE_SEED_DOCS: 'false',
      OPENAI_BASE_URL: vendor.url,
      OPENAI_API_KEY: 'sk-test-0123456789abcdef',
    },
  });
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
  for (const { runId } of [asked, queued]) {
    const run = await runOf(gateway, runId);
    expect(run).toMatchObject({ status: 'FAILED', reply: null, error: { code: 'INTERNAL', retryable: true } });
    expect(run?.error?.message).toContain('new runId');
    expect(run?.finishedAt).not.toBeNull();
  }
  expect(await runOf(gateway, unstored.runId)).toBeNull();

  const end = await follow(asked.runId, cursor);
  expect(end.map(({ __typename }) => __typename)).toEqual(['StreamGap', 'RunFailed']);
  expect(end[1]).toMatchObject({ seq: (end[0]?.seq ?? 0) + 1, error: { code: 'INTERNAL', retryable: true } });
  expect(await follow(asked.runId, null)).toEqual(end);
  expect(await follow(asked.runId, end[0]?.cursor ?? '')).toEqual(end.slice(1));
  expect(await follow(asked.runId, end[1]?.cursor ?? '')).toEqual([]);
  expect(await pagesOf(gateway, asked.runId, 1)).toEqual(end);
  // Sent again it is the run that failed, and nothing is spent.
  expect(await all(openStream(gateway, chatOperation, { input: asked }))).toEqual(end);
  expect(vendor.calls('/chat/completions')).toHaveLength(2);

  vendor.next({ reply: 'It goes on.', tokensPerSecond: 0 });
  const next = { runId: randomUUID(), message: 'And now?', conversationId };
  const events = await all(openStream(gateway, chatOperation, { input: next }));
  expect(events.at(-1)?.__typename).toBe('RunFinished');
  const { node } = await gateway.data<ConversationData, unknown>(conversationQuery, { id: conversationId });
  expect(node.messages.edges.map(({ node: { role, text } }) => `${role} ${text}`)).toEqual([
    'USER What was interrupted?',
    'USER And now?',
    'ASSISTANT It goes on.',
  ]);
});

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
