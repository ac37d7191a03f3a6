import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGatewayWithVendor, type TestGateway } from '../../helpers/gateway.ts';
import type { Vendor } from '../../helpers/vendor/vendor.ts';
import { type ChatInput, chat, findRun, refusal, spoken, type Turn } from './turn.ts';

const opened = new AsyncDisposableStack();
let gateway: TestGateway;
let vendor: Vendor;

beforeAll(async () => {
  ({ gateway, vendor } = opened.use(await startGatewayWithVendor()));
});
afterAll(() => opened.disposeAsync());

/** A turn whose reply is known. */
async function say(reply: string, input: ChatInput): Promise<Turn> {
  vendor.next({ reply });
  const turn = await chat(gateway, input);
  expect(turn).toMatchObject({ status: 'SUCCEEDED', text: reply });
  return turn;
}

interface MessagesPage {
  readonly edges: readonly {
    readonly cursor: string;
    readonly node: { readonly id: string; readonly parentId: string | null; readonly text: string };
  }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly hasPreviousPage: boolean };
}

const messagesQuery = `query ChatConversationMessages($id: ID!, $first: Int, $after: String, $last: Int, $before: String, $leaf: ID) {
  node(id: $id) { ... on Conversation {
    messages(first: $first, after: $after, last: $last, before: $before, leaf: $leaf) {
      edges { cursor node { id parentId text } } pageInfo { hasNextPage hasPreviousPage }
    }
  } }
}`;

async function messages(id: string | undefined, args: ChatInput = {}): Promise<MessagesPage> {
  const { node } = await gateway.data<{ node: { messages: MessagesPage } }, unknown>(messagesQuery, { id, ...args });
  return node.messages;
}

async function texts(id: string | undefined, args: ChatInput = {}): Promise<string[]> {
  return (await messages(id, args)).edges.map(({ node }) => node.text);
}

const lastPrompt = () => spoken(vendor.calls('/chat/completions').at(-1));

describe('a conversation', () => {
  it('grows by its newest leaf, and every message knows its parent', async () => {
    const first = await say('A1', { message: 'Q1' });
    const id = first.conversation?.id;
    await say('A2', { conversationId: id, message: 'Q2' });
    const { edges } = await messages(id);
    expect(edges.map(({ node }) => node.text)).toEqual(['Q1', 'A1', 'Q2', 'A2']);
    expect(edges.map(({ node }) => node.parentId)).toEqual([null, ...edges.slice(0, -1).map(({ node }) => node.id)]);
    expect(lastPrompt()).toEqual(['user: Q1', 'assistant: A1', 'user: Q2']);
  });

  it('has the beginning of its first message for a title, which costs no call', async () => {
    const before = vendor.calls().length;
    const turn = await say('A', { message: '# Why is\nthe sky blue?' });
    expect(turn.conversation?.title).toBe('Why is');
    const long = await say('A', { message: `Please explain ${'the sky '.repeat(30)}` });
    expect(long.conversation?.title).toMatch(/^Please explain the sky.*…$/);
    expect(long.conversation?.title?.length).toBeLessThanOrEqual(81);
    expect(vendor.calls().length).toBe(before + 2);
    await say('B', { conversationId: turn.conversation?.id, message: 'And at night?' });
    expect((await findRun(gateway, turn.runId))?.conversation?.title).toBe('Why is');
  });

  it('refuses a second turn while one is under way, and names it', async () => {
    const first = await say('A1', { message: 'Q1' });
    const gate = Promise.withResolvers<void>();
    vendor.next({ hold: gate.promise });
    const runId = randomUUID();
    const running = chat(gateway, { runId, conversationId: first.conversation?.id, message: 'Q2' });
    await vendor.waitForCall('/chat/completions', vendor.calls('/chat/completions').length + 1);
    const before = vendor.calls().length;
    const refused = await refusal(gateway, { conversationId: first.conversation?.id, message: 'Q3' });
    expect(refused).toMatchObject({ code: 'CONFLICT', extensions: { runId } });
    expect(vendor.calls()).toHaveLength(before);
    // A branch may run beside it.
    await say('B1', { parentMessageId: first.reply?.parentId });
    gate.resolve();
    expect((await running).status).toBe('SUCCEEDED');
  });
});

describe('branches', () => {
  let id: string | undefined;
  let turns: Turn[];

  beforeAll(async () => {
    const first = await say('A1', { message: 'Q1' });
    id = first.conversation?.id;
    turns = [first, await say('A2', { conversationId: id, message: 'Q2' })];
  });

  it('come of a question that is edited: by the parent of the old one alone', async () => {
    const [first, second] = turns;
    const edited = await say('A2b', { parentMessageId: first?.reply?.id, message: 'Q2b' });
    expect(edited.conversation?.id).toBe(id);
    expect(lastPrompt()).toEqual(['user: Q1', 'assistant: A1', 'user: Q2b']);
    expect(await texts(id)).toEqual(['Q1', 'A1', 'Q2b', 'A2b']);
    expect(await texts(id, { leaf: second?.reply?.id })).toEqual(['Q1', 'A1', 'Q2', 'A2']);
    expect(await texts(id, { leaf: first?.reply?.id })).toEqual(['Q1', 'A1']);
  });

  it('come of an answer that is generated again', async () => {
    const [, second] = turns;
    const again = await say('A2c', { parentMessageId: second?.reply?.parentId });
    expect(lastPrompt()).toEqual(['user: Q1', 'assistant: A1', 'user: Q2']);
    expect(again.reply?.parentId).toBe(second?.reply?.parentId);
    expect(again.reply?.id).not.toBe(second?.reply?.id);
    // The newest leaf is the default, and what the next turn goes on from.
    expect(await texts(id)).toEqual(['Q1', 'A1', 'Q2', 'A2c']);
    await say('A3', { conversationId: id, message: 'Q3' });
    expect(await texts(id)).toEqual(['Q1', 'A1', 'Q2', 'A2c', 'Q3', 'A3']);
  });

  it('come of the first message too: the conversation stands for the place before it', async () => {
    const first = await say('A1', { message: 'Q1' });
    const conversationId = first.conversation?.id;
    const edited = await say('A1b', { parentMessageId: conversationId, message: 'Q1b' });
    expect(lastPrompt()).toEqual(['user: Q1b']);
    expect(edited.conversation).toEqual(first.conversation);
    const { edges } = await messages(conversationId);
    expect(edges.map(({ node }) => node.text)).toEqual(['Q1b', 'A1b']);
    expect(edges[0]?.node.parentId).toBeNull();
    expect(await texts(conversationId, { leaf: first.reply?.id })).toEqual(['Q1', 'A1']);
    await say('A2b', { conversationId, message: 'Q2b' });
    expect(await texts(conversationId)).toEqual(['Q1b', 'A1b', 'Q2b', 'A2b']);
  });

  it('are refused where they cannot be', async () => {
    const other = await say('Z', { message: 'Another conversation.' });
    const [first] = turns;
    const before = vendor.calls().length;
    const refused = async (input: ChatInput) => {
      const { code, message } = await refusal(gateway, input);
      return `${code}: ${message}`;
    };
    expect(await refused({ conversationId: id, parentMessageId: other.reply?.id, message: 'x' })).toMatch(
      /^BAD_INPUT: parentMessageId.*another conversation/,
    );
    expect(await refused({ conversationId: id, parentMessageId: other.conversation?.id, message: 'x' })).toMatch(
      /^BAD_INPUT: parentMessageId.*another conversation/,
    );
    expect(await refused({ parentMessageId: first?.reply?.id })).toMatch(
      /^BAD_INPUT: parentMessageId.*USER.*ASSISTANT/,
    );
    expect(await refused({ parentMessageId: id })).toMatch(/^BAD_INPUT: message/);
    expect(
      await refused({ parentMessageId: first?.reply?.id, attachments: [{ mimeType: 'image/png', base64: 'AAAA' }] }),
    ).toMatch(/^BAD_INPUT: attachments/);
    expect(await refused({ parentMessageId: 'nonsense', message: 'x' })).toMatch(
      /^BAD_INPUT: parentMessageId.*"nonsense"/,
    );
    expect(vendor.calls()).toHaveLength(before);
  });
});

describe('the pages of a branch', () => {
  let id: string | undefined;

  beforeAll(async () => {
    const first = await say('2', { message: '1' });
    id = first.conversation?.id;
    await say('4', { conversationId: id, message: '3' });
    await say('6', { conversationId: id, message: '5' });
  });

  it('go forwards from the first message', async () => {
    const page = await messages(id, { first: 4 });
    expect(page.edges.map(({ node }) => node.text)).toEqual(['1', '2', '3', '4']);
    expect(page.pageInfo).toEqual({ hasNextPage: true, hasPreviousPage: false });
    const next = await messages(id, { first: 4, after: page.edges.at(-1)?.cursor });
    expect(next.edges.map(({ node }) => node.text)).toEqual(['5', '6']);
    expect(next.pageInfo).toEqual({ hasNextPage: false, hasPreviousPage: true });
  });

  it('go backwards from the newest', async () => {
    const page = await messages(id, { last: 4 });
    expect(page.edges.map(({ node }) => node.text)).toEqual(['3', '4', '5', '6']);
    expect(page.pageInfo).toEqual({ hasNextPage: false, hasPreviousPage: true });
    const previous = await messages(id, { last: 4, before: page.edges[0]?.cursor });
    expect(previous.edges.map(({ node }) => node.text)).toEqual(['1', '2']);
    expect(previous.pageInfo).toEqual({ hasNextPage: true, hasPreviousPage: false });
  });

  it('are refused where the arguments do not go together', async () => {
    const cursor = (await messages(id, { first: 1 })).edges[0]?.cursor;
    const other = await say('x', { message: 'Elsewhere.' });
    for (const [args, message] of [
      [{ first: 1, last: 1 }, /first or last.*both/],
      [{ first: 1, before: cursor }, /crossed/],
      [{ last: 1, after: cursor }, /crossed/],
      [{ after: cursor, before: cursor }, /crossed/],
      [{ first: 0 }, /first.*1–500.*0/],
      [{ last: 501 }, /last.*1–500.*501/],
      [{ after: 'x' }, /after.*"x"/],
      [{ leaf: other.reply?.id }, /leaf/],
    ] as const) {
      const { errors } = await gateway.request(messagesQuery, { id, ...args });
      expect(errors?.[0]).toMatchObject({ extensions: { code: 'BAD_INPUT' }, message: expect.stringMatching(message) });
    }
  });
});

describe('what is done with conversations', () => {
  const rename =
    'mutation ChatConversationRename($input: UpdateConversationInput!) { updateConversation(input: $input) { conversation { title } } }';

  it('lists those of one user, newest first', async () => {
    const user = `ada ${randomUUID()}`;
    const ids: (string | undefined)[] = [];
    for (const message of ['One', 'Two', 'Three']) ids.unshift((await say('ok', { message, user })).conversation?.id);
    await say('ok', { message: 'Not hers', user: 'bob' });
    const query = `query ChatConversationList($user: String, $first: Int, $after: String) {
      conversations(user: $user, first: $first, after: $after) { edges { cursor node { id user } } pageInfo { hasNextPage } }
    }`;
    const list = async (args: object) =>
      (
        await gateway.data<
          { conversations: { edges: { cursor: string; node: { id: string } }[]; pageInfo: { hasNextPage: boolean } } },
          unknown
        >(query, { user, ...args })
      ).conversations;
    const page = await list({ first: 2 });
    expect(page.edges.map(({ node }) => node.id)).toEqual(ids.slice(0, 2));
    expect(page.pageInfo.hasNextPage).toBe(true);
    const rest = await list({ first: 2, after: page.edges.at(-1)?.cursor });
    expect(rest.edges.map(({ node }) => node)).toEqual([{ id: ids[2], user }]);
  });

  it('renames them, and takes the title away', async () => {
    const { conversation } = await say('ok', { message: 'Old title' });
    const input = { id: conversation?.id };
    expect(await gateway.data(rename, { input: { ...input, title: 'New title' } })).toEqual({
      updateConversation: { conversation: { title: 'New title' } },
    });
    // Left out: nothing changes.
    expect(await gateway.data(rename, { input })).toEqual({
      updateConversation: { conversation: { title: 'New title' } },
    });
    expect(await gateway.data(rename, { input: { ...input, title: null } })).toEqual({
      updateConversation: { conversation: { title: null } },
    });
    const refused = await gateway.request(rename, { input: { ...input, title: 'x'.repeat(201) } });
    expect(refused.errors?.[0]).toMatchObject({
      extensions: { code: 'BAD_INPUT' },
      message: expect.stringMatching(/200.*201/),
    });
  });

  it('deletes them with their runs', async () => {
    const turn = await say('ok', { message: 'Soon gone' });
    const mutation = 'mutation ChatConversationDelete($id: ID!) { deleteConversation(id: $id) { deletedCount } }';
    const id = turn.conversation?.id;
    expect(await gateway.data(mutation, { id })).toEqual({ deleteConversation: { deletedCount: 1 } });
    expect(await findRun(gateway, turn.runId)).toBeNull();
    const gone = await gateway.request<{ deleteConversation: null }, unknown>(mutation, { id });
    expect(gone.errors?.[0]?.extensions.code).toBe('NOT_FOUND');
    const renamed = await gateway.request(rename, { input: { id, title: 'x' } });
    expect(renamed.errors?.[0]?.extensions.code).toBe('NOT_FOUND');
    expect(await refusal(gateway, { conversationId: id, message: 'More' })).toMatchObject({ code: 'NOT_FOUND' });
    expect(await refusal(gateway, { parentMessageId: turn.reply?.id, message: 'More' })).toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(await refusal(gateway, { parentMessageId: id, message: 'More' })).toMatchObject({ code: 'NOT_FOUND' });
  });
});
