import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from '../../../adapters/postgres/open-database.ts';
import { configFile } from '../../helpers/config-file.ts';
import { temporaryDataDirectory } from '../../helpers/embedded-database.ts';
import { startGateway, type TestGateway } from '../../helpers/gateway.ts';
import { startVendor, type Vendor } from '../../helpers/vendor/vendor.ts';
import {
  all,
  cancelOperation,
  chatOperation,
  isDelta,
  openStream,
  pagesOf,
  runEventsOperation,
  runOf,
  seqsOf,
  startOperation,
  textOf,
  until,
  upTo,
} from './streams.ts';

const retentionMs = 3_000;
const opened = new AsyncDisposableStack();
let dataDir: string;
let gateway: TestGateway;
let vendor: Vendor;
beforeAll(async () => {
  const { environment } = opened.use(await configFile({ log: { retentionMs } }));
  dataDir = opened.use(await temporaryDataDirectory()).path;
  vendor = opened.use(await startVendor({ defaults: { tokensPerSecond: 100 } }));
  gateway = opened.use(await startGateway({ environment, vendor, dataDir }));
});
afterAll(() => opened.disposeAsync());

const follow = (runId: string, after: string | null = null) =>
  openStream(gateway, runEventsOperation, { runId, after });
const outputTokens = async (): Promise<number> => {
  const query = 'query RunsSpent { viewer { usage { total { outputTokens } } } }';
  const { viewer } = await gateway.data<SpentData, unknown>(query);
  return viewer.usage.total.outputTokens;
};

describe('a run that is not stored', () => {
  const input = () => ({ runId: randomUUID(), message: 'Why?', store: false, user: 'somebody' });

  test('is followed, resumed, read and answered like any other, without a conversation, and is paid for', async () => {
    const spent = await outputTokens();
    const asked = input();
    const first = openStream(gateway, chatOperation, { input: asked });
    const reader = first[Symbol.asyncIterator]();
    const seen = [await until(reader, isDelta)];
    first.cut();
    const events = await all(follow(asked.runId));
    expect(seqsOf(events)).toEqual(upTo(events.length));
    expect(events.at(-1)?.__typename).toBe('RunFinished');
    const rest = await all(openStream(gateway, chatOperation, { input: asked, after: seen[0]?.cursor ?? null }));
    expect(rest).toEqual(events.slice(seen[0]?.seq));
    expect(await pagesOf(gateway, asked.runId, 2)).toEqual(events);
    const run = await runOf(gateway, asked.runId);
    expect(run).toMatchObject({
      status: 'SUCCEEDED',
      conversation: null,
      reply: { text: textOf(events), finishReason: 'STOP' },
    });
    expect(run?.usage.outputTokens).toBeGreaterThan(20);
    expect((await outputTokens()) - spent).toBe(run?.usage.outputTokens);
  });

  test('is cancelled like any other, and keeps what had come', async () => {
    const asked = input();
    await gateway.data(startOperation, { input: asked });
    const reader = follow(asked.runId)[Symbol.asyncIterator]();
    await until(reader, isDelta);
    expect(await gateway.data(cancelOperation, { runId: asked.runId })).toMatchObject({
      cancelRun: { run: { status: 'CANCELLED', reply: { finishReason: 'CANCELLED' } } },
    });
    const events = await all(follow(asked.runId));
    expect(events.at(-1)?.__typename).toBe('RunCancelled');
    expect((await runOf(gateway, asked.runId))?.reply?.text).toBe(textOf(events));
  });

  test('is forgotten after the retention: its id is free again', async () => {
    const asked = input();
    await all(openStream(gateway, chatOperation, { input: asked }));
    await expect.poll(() => runOf(gateway, asked.runId), { timeout: 10_000 }).toBeNull();
    const again = await all(openStream(gateway, chatOperation, { input: { ...asked, message: 'Something else?' } }));
    expect(seqsOf(again)).toEqual(upTo(again.length));
    expect(again.at(-1)?.__typename).toBe('RunFinished');
  });

  test('refuses what needs a conversation', async () => {
    const message = 'Why?';
    const started = await gateway.data<StartData, unknown>(startOperation, { input: { message } });
    const conversationId = started.startChat.run.conversation.id;
    const { errors } = await gateway.request(startOperation, { input: { message, store: false, conversationId } });
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_INPUT' }, message: expect.stringContaining('store') }]);
    await runOf(gateway, started.startChat.run.runId);
  });
});

test('a stored run outlives its log: a gap, the terminal event, and the text from the run', async () => {
  const runId = randomUUID();
  const seen = await all(openStream(gateway, chatOperation, { input: { runId, message: 'Why?' } }));
  await expect
    .poll(async () => (await all(follow(runId)))[0]?.__typename, { timeout: 10_000, interval: 200 })
    .toBe('StreamGap');
  const [gap, end, ...more] = await all(follow(runId));
  expect(more).toEqual([]);
  expect(gap).toMatchObject({ seq: seen.length - 1, cursor: seen.at(-2)?.cursor, resumeFrom: seen.at(-2)?.cursor });
  expect(end).toEqual(seen.at(-1));
  expect(await all(follow(runId, seen[1]?.cursor))).toEqual([gap, end]);
  expect(await all(follow(runId, gap?.resumeFrom))).toEqual([end]);
  expect(await all(follow(runId, end?.cursor))).toEqual([]);
  expect(await all(openStream(gateway, chatOperation, { input: { runId, message: 'Why?' } }))).toEqual([gap, end]);
  for (const first of [1, 500]) expect(await pagesOf(gateway, runId, first)).toEqual([gap, end]);
  expect((await runOf(gateway, runId))?.reply?.text).toBe(textOf(seen));
});

test('of runs that are not stored nothing stands in the database but what they cost', async () => {
  await gateway.close();
  await using database = Object.assign(await openDatabase({ dataDir }), {
    [Symbol.asyncDispose]: () => database.close(),
  });
  const [rows] = await database.query<Record<string, number>>(
    'count',
    sql`select (select count(*) from runs)::int as runs, (select count(*) from conversations)::int as conversations,
      (select count(*) from messages)::int as messages, (select sum(calls) from usage)::int as calls`,
  );
  // Two stored chats, a question and a reply each.
  expect(rows).toEqual({ runs: 2, conversations: 2, messages: 4, calls: vendor.calls('/chat/completions').length });
});

interface SpentData {
  readonly viewer: { readonly usage: { readonly total: { readonly outputTokens: number } } };
}
interface StartData {
  readonly startChat: { readonly run: { readonly runId: string; readonly conversation: { readonly id: string } } };
}
