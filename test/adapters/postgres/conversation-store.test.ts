import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { postgresConversationStore } from '../../../adapters/postgres/conversation-store.ts';
import type { Database } from '../../../adapters/postgres/database.ts';
import { postgresRunStore } from '../../../adapters/postgres/run-store.ts';
import type { BranchSlice, BranchWindow, ConversationStore } from '../../../core/contracts/conversation-store.ts';
import type { RunStore } from '../../../core/contracts/run-store.ts';
import { openTestDatabase } from '../../helpers/test-database.ts';
import { chatTurn, type TurnIds } from './chat-turn.ts';

let database: Database & AsyncDisposable;
let runs: RunStore;
let store: ConversationStore;

beforeAll(async () => {
  database = await openTestDatabase();
  runs = postgresRunStore(database);
  store = postgresConversationStore(database);
}, 60_000);
afterAll(() => database[Symbol.asyncDispose]());

const start: BranchWindow = { leaf: null, direction: 'first', count: 100, cursor: null };

/** A conversation of so many turns, oldest first, as the ids of its messages. */
async function conversationOf(tenant: string, conversationId: string, turns: number): Promise<string[]> {
  const ids: string[] = [];
  for (let index = 0; index < turns; index += 1) {
    const title = index === 0 ? { title: 'T' } : {};
    const turn = await chatTurn(runs, tenant, { conversationId, text: `question ${index}`, ...title });
    ids.push(turn.questionId, turn.replyId);
  }
  return ids;
}

const idsOf = (slice: BranchSlice | undefined) => slice?.messages.map((message) => message.id);

async function branch(tenant: string, conversationId: string, window: Partial<BranchWindow>): Promise<BranchSlice> {
  const [slice] = await store.branches(tenant, [conversationId], { ...start, ...window });
  if (slice === undefined) throw new Error('no slice');
  return slice;
}

describe('the tree of a conversation', () => {
  const tenant = randomUUID();
  const conversationId = randomUUID();
  let first: TurnIds;
  let second: TurnIds;
  let edited: TurnIds;
  let regenerated: TurnIds;

  beforeAll(async () => {
    first = await chatTurn(runs, tenant, { conversationId, title: 'T', text: 'one' });
    second = await chatTurn(runs, tenant, { conversationId, text: 'two' });
    edited = await chatTurn(runs, tenant, { conversationId, parentMessageId: first.replyId, text: 'two, edited' });
    regenerated = await chatTurn(runs, tenant, { conversationId, parentMessageId: edited.questionId });
  });

  it('shows the branch of the newest message by default', async () => {
    const slice = await branch(tenant, conversationId, {});
    expect(idsOf(slice)).toEqual([first.questionId, first.replyId, edited.questionId, regenerated.replyId]);
    expect([slice.hasPrevious, slice.hasNext]).toEqual([false, false]);
    expect(slice.messages.map((message) => message.parentId)).toEqual([
      null,
      first.questionId,
      first.replyId,
      edited.questionId,
    ]);
  });

  it('shows every other branch by its leaf', async () => {
    const common = [first.questionId, first.replyId];
    const ofLeaf = async (leaf: string) => idsOf(await branch(tenant, conversationId, { leaf }));
    expect(await ofLeaf(second.replyId)).toEqual([...common, second.questionId, second.replyId]);
    expect(await ofLeaf(edited.replyId)).toEqual([...common, edited.questionId, edited.replyId]);
  });

  it('ends where the leaf says, in mid-conversation too', async () => {
    const slice = await branch(tenant, conversationId, { leaf: first.replyId, direction: 'last', count: 1 });
    expect(idsOf(slice)).toEqual([first.replyId]);
    expect([slice.hasPrevious, slice.hasNext]).toEqual([true, false]);
  });

  it('goes on from whatever branch is the newest', async () => {
    const own = randomUUID();
    const one = await chatTurn(runs, tenant, { conversationId: own, title: 'T', text: 'one' });
    const two = await chatTurn(runs, tenant, { conversationId: own, text: 'two' });
    const edit = await chatTurn(runs, tenant, { conversationId: own, parentMessageId: one.replyId, text: 'two b' });
    const three = await chatTurn(runs, tenant, { conversationId: own, text: 'three' });
    expect(idsOf(await branch(tenant, own, {}))).toEqual([
      one.questionId,
      one.replyId,
      edit.questionId,
      edit.replyId,
      three.questionId,
      three.replyId,
    ]);
    expect(idsOf(await branch(tenant, own, { leaf: two.replyId }))).toHaveLength(4);
  });

  it.each(['first', 'last'] as const)('refuses a cursor of another branch (%s)', async (direction) => {
    const cursor = second.questionId;
    const name = direction === 'first' ? 'after' : 'before';
    await expect(branch(tenant, conversationId, { direction, cursor })).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringMatching(`${name}.*${cursor}`),
    });
    const slice = await branch(tenant, conversationId, { direction, cursor, leaf: second.replyId });
    expect(slice.messages.length).toBeGreaterThan(0);
  });

  it('refuses a leaf of another conversation, and one that there is not', async () => {
    const [foreign] = await conversationOf(tenant, randomUUID(), 1);
    for (const leaf of [foreign ?? '', 'no such message']) {
      await expect(branch(tenant, conversationId, { leaf })).rejects.toMatchObject({
        code: 'BAD_INPUT',
        message: expect.stringMatching(`leaf.*${leaf}`),
      });
    }
  });
});

describe('a window of a branch', () => {
  const tenant = randomUUID();
  const conversationId = randomUUID();
  let all: string[];

  beforeAll(async () => {
    all = await conversationOf(tenant, conversationId, 4);
  });

  it.each<[number | null, number, 'first' | 'last', number, number, boolean, boolean]>([
    // cursor (index), count, direction → from, to, hasPrevious, hasNext
    [null, 3, 'first', 0, 3, false, true],
    [null, 8, 'first', 0, 8, false, false],
    [null, 9, 'first', 0, 8, false, false],
    [2, 3, 'first', 3, 6, true, true],
    [4, 3, 'first', 5, 8, true, false],
    [6, 3, 'first', 7, 8, true, false],
    [7, 3, 'first', 8, 8, true, false],
    [0, 1, 'first', 1, 2, true, true],
    [null, 3, 'last', 5, 8, true, false],
    [null, 8, 'last', 0, 8, false, false],
    [null, 9, 'last', 0, 8, false, false],
    [5, 3, 'last', 2, 5, true, true],
    [3, 3, 'last', 0, 3, false, true],
    [1, 3, 'last', 0, 1, false, true],
    [0, 3, 'last', 0, 0, false, true],
    [7, 1, 'last', 6, 7, true, true],
    [null, 0, 'first', 0, 0, false, true],
    [null, 0, 'last', 8, 8, true, false],
  ])('cursor %s, %i %s', async (at, count, direction, from, to, hasPrevious, hasNext) => {
    const cursor = at === null ? null : (all[at] ?? '');
    const slice = await branch(tenant, conversationId, { direction, count, cursor });
    expect(idsOf(slice)).toEqual(all.slice(from, to));
    expect({ hasPrevious: slice.hasPrevious, hasNext: slice.hasNext }).toEqual({ hasPrevious, hasNext });
  });

  it.each(['first', 'last'] as const)('is the same for many conversations in one statement (%s)', async (direction) => {
    const others = [randomUUID(), randomUUID(), randomUUID()];
    const lengths = [1, 3, 2];
    const messages = await Promise.all(others.map((id, index) => conversationOf(tenant, id, lengths[index] ?? 0)));
    const [short, long, middle] = others as [string, string, string];
    const before = [...database.statements.values()].reduce((sum, count) => sum + count, 0);
    const slices = await store.branches(tenant, [long, 'unknown', short, long, middle], {
      ...start,
      direction,
      count: 3,
    });
    const after = [...database.statements.values()].reduce((sum, count) => sum + count, 0);
    expect(after - before).toBe(1);
    const window = (ids: string[] | undefined) => (direction === 'first' ? ids?.slice(0, 3) : ids?.slice(-3));
    const expected = [messages[1], [], messages[0], messages[1], messages[2]].map(window);
    expect(slices.map(idsOf)).toEqual(expected);
    const more = slices.map((slice) => (direction === 'first' ? slice.hasNext : slice.hasPrevious));
    expect(more).toEqual([true, false, false, true, true]);
  });

  it('is empty for a conversation that there is not, whatever leaf and cursor', async () => {
    const window = { leaf: all[3] ?? '', cursor: all[1] ?? '' };
    const empty = { messages: [], hasPrevious: false, hasNext: false };
    expect(await branch(tenant, randomUUID(), window)).toEqual(empty);
    expect(await branch(randomUUID(), conversationId, window)).toEqual(empty);
    expect(await store.branches(tenant, [], start)).toEqual([]);
  });
});

describe('conversations', () => {
  it('are listed newest first, of one user or of all, each once over pages that share a time', async () => {
    const tenant = randomUUID();
    const created: string[] = [];
    for (let index = 0; index < 6; index += 1) {
      const conversationId = randomUUID();
      const user = index % 2 === 0 ? 'ann' : 'ben';
      await chatTurn(runs, tenant, { conversationId, title: `T ${index}`, user, text: 'x' });
      created.unshift(conversationId);
    }
    const list = async (user: string | null) =>
      (await store.list(tenant, user, { first: 10, after: null })).items.map(({ item }) => item.id);
    expect(await list(null)).toEqual(created);
    expect(await list('ben')).toEqual(created.filter((_, index) => index % 2 === 0));
    expect(await list('carl')).toEqual([]);
    await database.query(
      'align',
      sql`update conversations set created_at = '2026-01-02T03:04:05.678901Z' where tenant = ${tenant}`,
    );
    const paged: string[] = [];
    let after: readonly (string | number)[] | null = null;
    for (const hasNext of [true, true, false]) {
      const page = await store.list(tenant, null, { first: 2, after });
      expect(page.hasNext).toBe(hasNext);
      paged.push(...page.items.map(({ item }) => item.id));
      after = page.items.at(-1)?.key ?? null;
    }
    expect(paged.toSorted()).toEqual(created.toSorted());
    await expect(store.list(tenant, null, { first: 2, after: ['x', 'y'] })).rejects.toMatchObject({
      code: 'BAD_INPUT',
    });
  });

  it('are renamed and deleted by their own tenant alone', async () => {
    const [tenant, stranger, conversationId] = [randomUUID(), randomUUID(), randomUUID()];
    const messages = await conversationOf(tenant, conversationId, 1);
    expect(await store.rename(stranger, conversationId, 'mine')).toBeNull();
    expect(await store.delete(stranger, conversationId)).toBeNull();
    expect(await store.byIds(stranger, [conversationId])).toEqual([]);
    expect(await store.messagesByIds(stranger, messages)).toEqual([]);
    expect((await store.list(stranger, null, { first: 5, after: null })).items).toEqual([]);
    expect(await store.rename(tenant, conversationId, 'Renamed')).toMatchObject({
      id: conversationId,
      title: 'Renamed',
    });
    expect(await store.rename(tenant, conversationId, null)).toMatchObject({ title: null });
    expect(await store.byIds(tenant, [conversationId, conversationId, 'unknown'])).toMatchObject([{ title: null }]);
    expect(await store.messagesByIds(tenant, messages)).toHaveLength(2);
    expect(await store.delete(tenant, conversationId)).not.toBeNull();
    expect(await store.delete(tenant, conversationId)).toBeNull();
    expect(await store.rename(tenant, conversationId, 'x')).toBeNull();
    expect(await store.messagesByIds(tenant, messages)).toEqual([]);
  });
});
