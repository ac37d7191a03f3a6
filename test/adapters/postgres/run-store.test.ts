import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { postgresConversationStore } from '../../../adapters/postgres/conversation-store.ts';
import type { Database } from '../../../adapters/postgres/database.ts';
import { postgresRunStore } from '../../../adapters/postgres/run-store.ts';
import type { BranchWindow, ConversationStore } from '../../../core/contracts/conversation-store.ts';
import type { StoredRunStore } from '../../../core/contracts/run-store.ts';
import { newRun, runStoreContract } from '../../contract/run-store.ts';
import { openTestDatabase } from '../../helpers/test-database.ts';
import { chatTurn, newTurn, replyTo, startTurn } from './chat-turn.ts';

let database: Database & AsyncDisposable;
let store: StoredRunStore;
let conversations: ConversationStore;

beforeAll(async () => {
  database = await openTestDatabase();
  store = postgresRunStore(database);
  conversations = postgresConversationStore(database);
}, 60_000);
afterAll(() => database[Symbol.asyncDispose]());

runStoreContract('postgresRunStore', () => ({
  store,
  stored: true,
  alignCreation: async (tenant) => {
    await database.query(
      'align',
      sql`update runs set created_at = '2026-01-02T03:04:05.678901Z' where tenant = ${tenant}`,
    );
  },
}));

const wholeBranch: BranchWindow = { leaf: null, direction: 'first', count: 100, cursor: null };

async function messageIds(tenant: string, conversationId: string, leaf: string | null = null): Promise<string[]> {
  const [branch] = await conversations.branches(tenant, [conversationId], { ...wholeBranch, leaf });
  return (branch?.messages ?? []).map((message) => message.id);
}

describe('a turn', () => {
  it('makes a new conversation with its question, and fills in the run', async () => {
    const [tenant, conversationId] = [randomUUID(), randomUUID()];
    const { run, turn } = newTurn(tenant, { conversationId, title: 'Hello', user: 'ann', text: 'Hello there' });
    const claimed = await store.claim(run, turn, 'instance');
    expect(claimed.created).toBe(true);
    const questionId = turn.question?.id;
    expect(claimed.run.detail).toEqual({ ...run.detail, conversationId, questionId });
    expect(await store.byRunIds(tenant, [run.runId])).toEqual([claimed.run]);
    expect(await conversations.byIds(tenant, [conversationId])).toEqual([
      { id: conversationId, title: 'Hello', user: 'ann', createdAt: expect.any(Date), updatedAt: expect.any(Date) },
    ]);
    const [branch] = await conversations.branches(tenant, [conversationId], wholeBranch);
    expect(branch?.messages).toEqual([
      { ...turn.question, conversationId, parentId: null, createdAt: expect.any(Date) },
    ]);
  });

  it('goes on from the newest message, and its reply is saved with the end of the run', async () => {
    const [tenant, conversationId] = [randomUUID(), randomUUID()];
    const first = await chatTurn(store, tenant, { conversationId, title: 'T', text: 'one' });
    const [before] = await conversations.byIds(tenant, [conversationId]);
    const second = await startTurn(store, tenant, { conversationId, text: 'two' });
    const reply = replyTo(second.run, 'second reply');
    expect(await store.update(second.run, 1, { status: 'SUCCEEDED' }, reply)).toBe(true);
    expect(await messageIds(tenant, conversationId)).toEqual([
      first.questionId,
      first.replyId,
      second.questionId,
      second.replyId,
    ]);
    const [saved] = await conversations.messagesByIds(tenant, [second.replyId]);
    expect(saved).toEqual({ ...reply, createdAt: expect.any(Date) });
    expect(JSON.stringify(saved?.object)).toBe(JSON.stringify(reply.object));
    const [after] = await conversations.byIds(tenant, [conversationId]);
    expect(after?.updatedAt.getTime()).toBeGreaterThanOrEqual(before?.updatedAt.getTime() ?? Number.NaN);
    expect(after?.updatedAt.getTime()).toBeGreaterThan((after?.createdAt.getTime() ?? Number.NaN) - 1);
  });

  it('is not written twice when its run is claimed again', async () => {
    const [tenant, conversationId] = [randomUUID(), randomUUID()];
    const { run, turn } = newTurn(tenant, { conversationId, title: 'T', text: 'one' });
    const first = await store.claim(run, turn, 'instance');
    const before = await conversations.byIds(tenant, [conversationId]);
    const again = await store.claim(
      { ...run, inputHash: 'other' },
      newTurn(tenant, { conversationId, text: 'x' }).turn,
      'instance',
    );
    expect(again).toEqual({ run: first.run, created: false });
    expect(await conversations.byIds(tenant, [conversationId])).toEqual(before);
    expect(await messageIds(tenant, conversationId)).toHaveLength(1);
  });

  it('is written once when its run is claimed several times at once', async () => {
    const [tenant, conversationId] = [randomUUID(), randomUUID()];
    const { run, turn } = newTurn(tenant, { conversationId, title: 'T', text: 'one' });
    const claims = await Promise.all(Array.from({ length: 6 }, () => store.claim(run, turn, 'instance')));
    expect(claims.filter((claim) => claim.created)).toHaveLength(1);
    expect(new Set(claims.map((claim) => JSON.stringify(claim.run))).size).toBe(1);
    expect(await messageIds(tenant, conversationId)).toHaveLength(1);
  });

  it('answers a USER message again without a new question', async () => {
    const [tenant, conversationId] = [randomUUID(), randomUUID()];
    const first = await chatTurn(store, tenant, { conversationId, title: 'T', text: 'one' });
    const again = await chatTurn(store, tenant, { conversationId, parentMessageId: first.questionId });
    expect(again.questionId).toBe(first.questionId);
    expect(await messageIds(tenant, conversationId)).toEqual([first.questionId, again.replyId]);
    expect(await messageIds(tenant, conversationId, first.replyId)).toEqual([first.questionId, first.replyId]);
  });

  it('may branch while another turn of the conversation runs', async () => {
    const [tenant, conversationId] = [randomUUID(), randomUUID()];
    const first = await chatTurn(store, tenant, { conversationId, title: 'T', text: 'one' });
    const slow = await startTurn(store, tenant, { conversationId, text: 'two' });
    const branch = await startTurn(store, tenant, { conversationId, parentMessageId: first.replyId, text: 'two b' });
    expect(await messageIds(tenant, conversationId)).toEqual([first.questionId, first.replyId, branch.questionId]);
    expect(await messageIds(tenant, conversationId, slow.questionId)).toEqual([
      first.questionId,
      first.replyId,
      slow.questionId,
    ]);
  });

  it('is refused while another one runs, which the CONFLICT names, and accepted after its end', async () => {
    const [tenant, conversationId] = [randomUUID(), randomUUID()];
    const busy = await startTurn(store, tenant, { conversationId, title: 'T', text: 'one' });
    const { run, turn } = newTurn(tenant, { conversationId, text: 'two' });
    await expect(store.claim(run, turn, 'instance')).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining(busy.run.runId),
      details: { runId: busy.run.runId },
    });
    expect(await store.byRunIds(tenant, [run.runId])).toEqual([]);
    await store.update(busy.run, 1, { status: 'CANCELLED' });
    expect((await store.claim(run, turn, 'instance')).created).toBe(true);
    expect(await messageIds(tenant, conversationId)).toEqual([busy.questionId, turn.question?.id]);
  });

  it('wins alone when several start in one conversation at once', async () => {
    const [tenant, conversationId] = [randomUUID(), randomUUID()];
    const first = await chatTurn(store, tenant, { conversationId, title: 'T', text: 'one' });
    const starts = Array.from({ length: 5 }, (_, index) => newTurn(tenant, { conversationId, text: `n ${index}` }));
    const results = await Promise.allSettled(starts.map(({ run, turn }) => store.claim(run, turn, 'instance')));
    const won = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value.run] : []));
    expect(won).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected') {
        expect(result.reason).toMatchObject({ code: 'CONFLICT', details: { runId: won[0]?.runId } });
      }
    }
    const stored = await store.byRunIds(
      tenant,
      starts.map(({ run }) => run.runId),
    );
    expect(stored.map((run) => run.runId)).toEqual([won[0]?.runId]);
    expect(await messageIds(tenant, conversationId)).toHaveLength(3);
    expect((await messageIds(tenant, conversationId)).slice(0, 2)).toEqual([first.questionId, first.replyId]);
  });

  it('is newer than all before it, also when the clock was set back', async () => {
    const [tenant, conversationId] = [randomUUID(), randomUUID()];
    const first = await chatTurn(store, tenant, { conversationId, title: 'T', text: 'one' });
    await database.query(
      'set-ahead',
      sql`update messages set created_at = created_at + interval '1 hour' where tenant = ${tenant}`,
    );
    const second = await chatTurn(store, tenant, { conversationId, text: 'two' });
    expect(await messageIds(tenant, conversationId)).toEqual([
      first.questionId,
      first.replyId,
      second.questionId,
      second.replyId,
    ]);
  });
});

describe('a refused turn leaves nothing behind', () => {
  type Ids = {
    readonly conversationId: string;
    readonly other: string;
    readonly replyId: string;
    readonly foreign: string;
  };
  it.each<[string, string, (ids: Ids) => Parameters<typeof newTurn>[1]]>([
    ['an unknown conversation', 'NOT_FOUND', () => ({ conversationId: randomUUID(), text: 'x' })],
    ["another tenant's conversation", 'NOT_FOUND', ({ foreign }) => ({ conversationId: foreign, text: 'x' })],
    ['an id that is taken', 'CONFLICT', ({ conversationId }) => ({ conversationId, title: 'T', text: 'x' })],
    [
      'an unknown parent',
      'NOT_FOUND',
      ({ conversationId }) => ({ conversationId, parentMessageId: 'none', text: 'x' }),
    ],
    [
      'a parent in another conversation',
      'BAD_INPUT',
      ({ conversationId, other }) => ({ conversationId, parentMessageId: other, text: 'x' }),
    ],
    [
      'no question and a parent that is no USER message',
      'BAD_INPUT',
      ({ conversationId, replyId }) => ({ conversationId, parentMessageId: replyId }),
    ],
    ['neither question nor parent', 'BAD_INPUT', ({ conversationId }) => ({ conversationId })],
    [
      'a parent in a new conversation',
      'BAD_INPUT',
      ({ replyId }) => ({ conversationId: randomUUID(), title: 'T', parentMessageId: replyId, text: 'x' }),
    ],
  ])('%s', async (_, code, optionsOf) => {
    const [tenant, foreignTenant, conversationId, foreign] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
    const first = await chatTurn(store, tenant, { conversationId, title: 'T', text: 'one' });
    const other = await chatTurn(store, tenant, { conversationId: randomUUID(), title: 'O', text: 'other' });
    await chatTurn(store, foreignTenant, { conversationId: foreign, title: 'F', text: 'foreign' });
    const state = async () => [
      await conversations.list(tenant, null, { first: 10, after: null }),
      await conversations.list(foreignTenant, null, { first: 10, after: null }),
      await messageIds(tenant, conversationId),
      await messageIds(foreignTenant, foreign),
      await store.list(tenant, {}, { first: 10, after: null }),
    ];
    const before = await state();
    const { run, turn } = newTurn(
      tenant,
      optionsOf({ conversationId, other: other.replyId, replyId: first.replyId, foreign }),
    );
    await expect(store.claim(run, turn, 'instance')).rejects.toMatchObject({ name: 'GatewayError', code });
    expect(await state()).toEqual(before);
  });
});

describe('a reply', () => {
  it('is not written by an attempt that does not own the run, nor after its end', async () => {
    const [tenant, conversationId] = [randomUUID(), randomUUID()];
    const { run, questionId } = await startTurn(store, tenant, { conversationId, title: 'T', text: 'one' });
    expect(await store.update(run, 2, { status: 'SUCCEEDED' }, replyTo(run, 'stale'))).toBe(false);
    await store.update(run, 1, { status: 'CANCELLED' });
    const before = await conversations.byIds(tenant, [conversationId]);
    expect(await store.update(run, 1, { status: 'SUCCEEDED' }, replyTo(run, 'late'))).toBe(false);
    expect(await messageIds(tenant, conversationId)).toEqual([questionId]);
    expect(await conversations.byIds(tenant, [conversationId])).toEqual(before);
  });

  it('is written with the end in one statement', async () => {
    const [tenant, conversationId] = [randomUUID(), randomUUID()];
    const { run } = await startTurn(store, tenant, { conversationId, title: 'T', text: 'one' });
    const before = new Map(database.statements);
    await store.update(run, 1, { status: 'SUCCEEDED' }, replyTo(run, 'done'));
    const ran = [...database.statements].filter(([name, count]) => count !== before.get(name)).map(([name]) => name);
    expect(ran).toEqual(['run-update']);
  });

  it('takes the end back when it cannot be written', async () => {
    const [tenant, conversationId] = [randomUUID(), randomUUID()];
    const { run, questionId } = await startTurn(store, tenant, { conversationId, title: 'T', text: 'one' });
    const taken = { ...replyTo(run, 'x'), id: questionId };
    await expect(store.update(run, 1, { status: 'SUCCEEDED' }, taken)).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(await store.byRunIds(tenant, [run.runId])).toEqual([run]);
    expect(await store.input(run)).toEqual({ message: 'hello' });
  });
});

describe('deleting a conversation', () => {
  it('takes its runs along, and one that still runs can write nothing more', async () => {
    const [tenant, conversationId] = [randomUUID(), randomUUID()];
    const done = await chatTurn(store, tenant, { conversationId, title: 'T', text: 'one' });
    const { run, questionId } = await startTurn(store, tenant, { conversationId, text: 'two' });
    const other = await startTurn(store, tenant, { conversationId: randomUUID(), title: 'O', text: 'three' });
    expect((await store.underWay(tenant, conversationId)).map(({ runId }) => runId)).toEqual([run.runId]);
    const gone = await conversations.delete(tenant, conversationId);
    expect(gone?.map(({ runId }) => runId).toSorted()).toEqual([done.run.runId, run.runId].toSorted());
    expect(await store.update(run, 1, { status: 'SUCCEEDED', detail: run.detail }, replyTo(run, 'late'))).toBe(false);
    const runs = await store.byRunIds(tenant, [done.run.runId, run.runId, other.run.runId]);
    expect(runs.map(({ runId }) => runId)).toEqual([other.run.runId]);
    const messages = [done.questionId, done.replyId, questionId, `${run.detail.kind === 'CHAT' && run.detail.replyId}`];
    expect(await conversations.messagesByIds(tenant, messages)).toEqual([]);
    expect(await conversations.byIds(tenant, [conversationId])).toEqual([]);
    expect(await conversations.delete(tenant, conversationId)).toBeNull();
  });

  it('counts no other conversation as busy for it', async () => {
    const tenant = randomUUID();
    await store.claim(newRun(tenant), null, 'instance');
    await startTurn(store, tenant, { conversationId: randomUUID(), title: 'busy', text: 'one' });
    const conversationId = randomUUID();
    await chatTurn(store, tenant, { conversationId, title: 'T', text: 'one' });
    await chatTurn(store, tenant, { conversationId, text: 'two' });
    expect(await messageIds(tenant, conversationId)).toHaveLength(4);
  });
});

describe('the retention', () => {
  it('removes what ended longer ago, the oldest first and no more than asked for', async () => {
    const tenant = randomUUID();
    const runs = [newRun(tenant), newRun(tenant), newRun(tenant), newRun(tenant)];
    for (const run of runs) await store.claim(run, null, 'instance');
    const [old, older, recent, underWay] = runs.map(({ runId }) => runId);
    // Older than anything that other tests leave.
    const yearMs = 365 * 24 * 3_600_000;
    for (const [index, years] of [20, 30, 1].entries()) {
      const finishedAt = new Date(Date.now() - years * yearMs);
      await store.update(runs[index] ?? newRun(tenant), 1, { status: 'SUCCEEDED', finishedAt });
    }
    const endedBeforeMs = 10 * yearMs;
    expect(await store.purge({ endedBeforeMs, limit: 1 })).toEqual([{ tenant, runId: older }]);
    expect(await store.purge({ endedBeforeMs, limit: 10 })).toEqual([{ tenant, runId: old }]);
    expect(await store.purge({ endedBeforeMs, limit: 10 })).toEqual([]);
    const left = await store.byRunIds(tenant, [old, older, recent, underWay].map(String));
    expect(left.map(({ runId }) => runId).toSorted()).toEqual([recent, underWay].toSorted());
  });
});
