import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { configFile } from '../../helpers/config-file.ts';
import { ingest, startGatewayWithVendor, type TestGateway } from '../../helpers/gateway.ts';
import type { Vendor } from '../../helpers/vendor/vendor.ts';
import { bodyOf, chat, deltasOf, findRun, refusal, spoken, startTurn } from './turn.ts';

const opened = new AsyncDisposableStack();
let gateway: TestGateway;
let vendor: Vendor;

beforeAll(async () => {
  const config = opened.use(
    await configFile({
      openai: {
        models: [
          { name: 'priced', inputUsdPerMillion: 2, cachedInputUsdPerMillion: 0.5, outputUsdPerMillion: 8 },
          { name: 'text-only', attachments: [] },
        ],
      },
    }),
  );
  ({ gateway, vendor } = opened.use(await startGatewayWithVendor({ environment: config.environment })));
  await ingest(gateway, [
    { externalId: 'otters', title: 'Otters', text: 'Otters swim well. They eat fish and crabs.' },
    { externalId: 'badgers', title: 'Badgers', text: 'Badgers dig long tunnels and sleep in them all day.' },
  ]);
});
afterAll(() => opened.disposeAsync());

const callsNow = () => vendor.calls().length;

describe('one turn', () => {
  it('reads the history while the question is being embedded, and asks the model only when both are there', async () => {
    const first = await chat(gateway, { message: 'Tell me of otters.', retrieval: {} });
    const branchesBefore = gateway.statements.get('conversation-branches') ?? 0;
    const embeddingsBefore = vendor.calls('/embeddings').length;
    const chatsBefore = vendor.calls('/chat/completions').length;
    const gate = Promise.withResolvers<void>();
    vendor.nextOf('/embeddings', { hold: gate.promise });

    const turn = chat(gateway, { conversationId: first.conversation?.id, message: 'What do they eat?', retrieval: {} });
    await vendor.waitForCall('/embeddings', embeddingsBefore + 1);
    // While the vendor still holds the embedding back, the history has been read.
    await vi.waitFor(() => expect(gateway.statements.get('conversation-branches')).toBe(branchesBefore + 1));
    expect(vendor.calls('/chat/completions')).toHaveLength(chatsBefore);
    gate.resolve();

    expect((await turn).status).toBe('SUCCEEDED');
    expect(spoken(vendor.calls('/chat/completions').at(-1)).slice(1)).toEqual([
      'user: Tell me of otters.',
      expect.stringMatching(/^assistant: According to the sources/),
      'user: What do they eat?',
    ]);
  });

  it('costs one embeddings call, one chat call, and at most 6 SQL statements besides retrieval', async () => {
    const first = await chat(gateway, { message: 'How long are the tunnels?', retrieval: {} });
    const before = new Map(gateway.statements);
    const [embeddings, chats] = [vendor.calls('/embeddings').length, vendor.calls('/chat/completions').length];
    const runId = await startTurn(gateway, {
      conversationId: first.conversation?.id,
      message: 'And who digs them?',
      retrieval: {},
    });
    // Its start and its end are written, and nothing has been read of it that would be counted too.
    const updates = () => (gateway.statements.get('run-update') ?? 0) - (before.get('run-update') ?? 0);
    await expect.poll(updates).toBe(2);
    const ran = [...gateway.statements].flatMap(([name, count]) => {
      const times = count - (before.get(name) ?? 0);
      return times > 0 ? [[name, times] as const] : [];
    });
    const turn = ['conversation-branches', 'conversation-lock', 'question-insert', 'run-claim', 'run-update'];
    // What the gateway does by itself beside it.
    const beside =
      /^(heartbeat|instance|runs-take-over|add-usage|(save|touch)-embeddings|maintenance|runs-purge|api-key)/;
    const retrieval = ['collections-by-names', 'find-embeddings', 'search'];
    const own = ran.filter(([name]) => !beside.test(name) && !retrieval.includes(name));
    expect(own.map(([name]) => name).sort()).toEqual(turn);
    expect(own.reduce((sum, [, times]) => sum + times, 0)).toBeLessThanOrEqual(6);
    expect(vendor.calls('/embeddings')).toHaveLength(embeddings + 1);
    expect(vendor.calls('/chat/completions')).toHaveLength(chats + 1);
    await expect.poll(async () => (await findRun(gateway, runId))?.status).toBe('SUCCEEDED');
  });

  it.each([
    ['an unknown conversation', { conversationId: idOf('Conversation') }, 'NOT_FOUND', /conversation/],
    ['an unknown parent message', { parentMessageId: idOf('Message') }, 'NOT_FOUND', /parentMessageId/],
    ['an unknown collection', { retrieval: { in: 'nowhere' } }, 'NOT_FOUND', /nowhere/],
    ['a conversation id that is none', { conversationId: 'x' }, 'BAD_INPUT', /conversationId.*"x"/],
    ['a collection name with a NUL', { retrieval: { in: 'a\u0000' } }, 'BAD_INPUT', /NUL/],
    ['no message', { message: null }, 'BAD_INPUT', /message/],
    ['a blank message', { message: ' \n' }, 'BAD_INPUT', /message/],
    ['a NUL in the message', { message: 'a\u0000b' }, 'BAD_INPUT', /message.*NUL.*position 1/],
    ['half a character in system', { system: 'a\ud83d' }, 'BAD_INPUT', /system.*surrogate/],
    ['retrieval of nothing', { retrieval: { first: 0 } }, 'BAD_INPUT', /retrieval\.first.*1–100.*0/],
    ['a filter without an operator', { retrieval: { filter: {} } }, 'BAD_INPUT', /retrieval\.filter/],
    ['a temperature out of range', { temperature: 2.5 }, 'BAD_INPUT', /temperature.*0–2.*2\.5/],
    ['a topP out of range', { topP: -0.1 }, 'BAD_INPUT', /topP.*0–1.*-0\.1/],
    ['no output tokens', { maxOutputTokens: 0 }, 'BAD_INPUT', /maxOutputTokens.*1–.*0/],
    ['an empty stop text', { stop: ['a', ''] }, 'BAD_INPUT', /stop.*1–200 characters/],
    ['too many stop texts', { stop: Array.from({ length: 17 }, () => 'a') }, 'BAD_INPUT', /stop.*16.*17/],
    ['a negative timeout', { timeoutMs: -1 }, 'BAD_INPUT', /timeoutMs.*1–.*-1/],
    ['providerOptions that are a list', { providerOptions: [1] }, 'BAD_INPUT', /providerOptions.*object.*a list/],
    [
      'a collection name with half a character',
      { retrieval: { in: 'a\ud800' } },
      'BAD_INPUT',
      /retrieval\.in.*surrogate/,
    ],
    ['providerOptions that are deep', { providerOptions: nested(60) }, 'BAD_INPUT', /providerOptions.*50 levels/],
    ['a NUL in providerOptions', { providerOptions: { a: ['\u0000'] } }, 'BAD_INPUT', /providerOptions.*NUL/],
    ['metadata of 17 entries', { metadata: entries(17) }, 'BAD_INPUT', /metadata.*16.*17/],
    ['a number in metadata', { metadata: { a: 1 } }, 'BAD_INPUT', /metadata\.a.*text/],
    ['a long text in metadata', { metadata: { a: 'x'.repeat(501) } }, 'BAD_INPUT', /metadata\.a.*500/],
    ['a long user', { user: 'x'.repeat(201) }, 'BAD_INPUT', /user.*200.*201/],
    ['an embedding model', { model: 'text-embedding-3-small' }, 'BAD_INPUT', /text-embedding-3-small.*CHAT/],
  ])('spends nothing on %s', async (_name, input, code, message) => {
    const before = callsNow();
    const runId = randomUUID();
    expect(await refusal(gateway, { runId, message: 'Do otters swim?', retrieval: {}, ...input })).toEqual(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
    expect(callsNow()).toBe(before);
    expect(await findRun(gateway, runId)).toBeNull();
  });

  it.each([
    ['providerOptions', 'StartChatInput', 'startChat', '{"message":"Hello.","providerOptions":DEEP}'],
    ['responseSchema', 'StartChatInput', 'startChat', '{"message":"Hello.","responseSchema":DEEP}'],
    ['metadata', 'StartChatInput', 'startChat', '{"message":"Hello.","metadata":DEEP}'],
    ['a filter', 'StartChatInput', 'startChat', '{"message":"Hi.","retrieval":{"filter":{"field":"a","equals":DEEP}}}'],
  ])('survives %s nested without end', async (_name, type, field, json) => {
    const query = `mutation($input: ${type}!) { ${field}(input: $input) { run { runId } } }`;
    expect(await sentDeep(query, json)).toMatchObject({ errors: [{ extensions: { code: 'BAD_INPUT' } }] });
  });

  it('survives metadata of a document nested without end, and takes the other documents', async () => {
    const query =
      'mutation($input: StartIngestInput!) { startIngest(input: $input) { run { finished { documentsDone failures { message } } } } }';
    const json =
      '{"documents":[{"externalId":"deep","text":"a","metadata":DEEP},{"externalId":"flat","text":"Voles hide."}]}';
    const failures = [{ message: expect.stringMatching(/^metadata .*levels/) }];
    expect(await sentDeep(query, json)).toMatchObject({
      data: { startIngest: { run: { finished: { documentsDone: 1, failures } } } },
    });
  });

  it('runs once for one runId, and refuses the id with another input', async () => {
    const runId = randomUUID();
    const input = { runId, message: 'Do badgers dig?', retrieval: {} };
    const first = await chat(gateway, input);
    const before = callsNow();
    const again = await chat(gateway, { ...input, runId: runId.toUpperCase() });
    expect(again.text).toBe(first.text);
    expect(again.conversation?.id).toBe(first.conversation?.id);
    expect(await refusal(gateway, { ...input, message: 'Do badgers swim?' })).toMatchObject({ code: 'CONFLICT' });
    expect(callsNow()).toBe(before);
  });

  it('searches by a message that is cut in the middle of a character', async () => {
    const message = `${'x '.repeat(4_999)}y😀 and more`;
    expect(message.charCodeAt(10_000)).toBe(0xde00);
    expect(await chat(gateway, { message, retrieval: {} })).toMatchObject({ status: 'SUCCEEDED', error: null });
  });
});

describe('what is passed on', () => {
  it('hands sampling and providerOptions to the vendor exactly', async () => {
    await chat(gateway, {
      message: 'Say something.',
      model: 'some-model',
      temperature: 0.3,
      topP: 0.9,
      stop: ['END'],
      seed: 7,
      reasoningEffort: 'LOW',
      maxOutputTokens: 50,
      providerOptions: {
        logit_bias: { '50256': -100 },
        service_tier: 'flex',
        note: 'C:\\u0000',
        model: 'evil',
        stream: false,
        messages: [],
      },
    });
    const { messages, stream_options: _usage, ...rest } = bodyOf(vendor.calls('/chat/completions').at(-1));
    expect(messages).toEqual([{ role: 'user', content: 'Say something.' }]);
    expect(rest).toEqual({
      model: 'some-model',
      stream: true,
      temperature: 0.3,
      top_p: 0.9,
      stop: ['END'],
      seed: 7,
      reasoning_effort: 'low',
      // What every server but OpenAI's own understands.
      max_tokens: 50,
      logit_bias: { '50256': -100 },
      service_tier: 'flex',
      note: 'C:\\u0000',
    });
  });

  it('sends nothing that was left out', async () => {
    await chat(gateway, { message: 'Say something.' });
    const body = bodyOf(vendor.calls('/chat/completions').at(-1));
    expect(Object.keys(body).sort()).toEqual(['messages', 'model', 'stream', 'stream_options']);
  });

  it('keeps user and metadata, and finds runs by the user', async () => {
    const user = `ada ${randomUUID()}`;
    const metadata = entries(16);
    const turn = await chat(gateway, { message: 'Hello.', user, metadata });
    expect(turn).toMatchObject({ user, metadata, conversation: { user } });
    await chat(gateway, { message: 'Hello.', user: 'somebody else' });
    const found = await gateway.data<
      { runs: { edges: { node: { runId: string; metadata: unknown } }[] } },
      { user: string }
    >('query ChatTurnOfUser($user: String) { runs(user: $user) { edges { node { runId metadata } } } }', { user });
    expect(found.runs.edges.map(({ node }) => node)).toEqual([{ runId: turn.runId, metadata }]);
  });
});

describe('what a reply says of itself', () => {
  it('keeps reasoning out of the text, and counts it', async () => {
    vendor.next({ reasoning: 'They want a greeting, so I greet.', reply: 'Good day.', cachedTokens: 5 });
    const turn = await chat(gateway, { message: 'Greet me.' });
    expect(deltasOf(turn.events, 'ReasoningDelta')).toBe('They want a greeting, so I greet.');
    expect(turn.text).toBe('Good day.');
    expect(turn.reply?.text).toBe('Good day.');
    expect(turn.reply?.usage?.outputTokens).toBeGreaterThan(8);
  });

  it('counts cached tokens and their price, and names the model that answered', async () => {
    vendor.next({ reply: 'Good day.', cachedTokens: 5 });
    const turn = await chat(gateway, { message: 'Greet me with some warmth, please.', model: 'priced' });
    expect(turn.reply).toMatchObject({ model: 'priced', finishReason: 'STOP' });
    const { inputTokens, cachedInputTokens, outputTokens, calls, costUsd, estimated } = turn.usage;
    expect({ cachedInputTokens, calls, estimated }).toEqual({ cachedInputTokens: 5, calls: 1, estimated: false });
    expect(inputTokens).toBeGreaterThan(5);
    expect(costUsd).toBeCloseTo(((inputTokens - 5) * 2 + 5 * 0.5 + outputTokens * 8) / 1_000_000, 12);
  });

  it('knows no cost where the model has no price, and says when counts are estimates', async () => {
    vendor.next({ reply: 'Good day.', usage: false });
    const turn = await chat(gateway, { message: 'Greet me.', model: 'nobody-knows-its-price' });
    expect(turn.reply?.model).toBe('nobody-knows-its-price');
    expect(turn.usage).toMatchObject({ costUsd: null, estimated: true, calls: 1 });
    expect(turn.usage.outputTokens).toBeGreaterThan(0);
  });

  it('names the default model when none was asked for, and says when a limit ended the text', async () => {
    vendor.next({ reply: 'One two three four.' });
    const turn = await chat(gateway, { message: 'Count.', maxOutputTokens: 2 });
    expect(turn.reply).toMatchObject({ model: 'gpt-4.1-mini', finishReason: 'LENGTH' });
    expect(turn.text).not.toBe('');
  });
});

function idOf(typename: string): string {
  return Buffer.from(`${typename}:${randomUUID()}`).toString('base64url');
}

function entries(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`key${index}`, `value ${index}`]));
}

function nested(depth: number): unknown {
  let value: unknown = {};
  for (let level = 0; level < depth; level += 1) value = { a: value };
  return value;
}

/** The answer to an operation whose input has something nested 50,000 deep in the place of DEEP. */
async function sentDeep(query: string, json: string): Promise<unknown> {
  const deep = `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`;
  const response = await fetch(gateway.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: `{"query":"${query}","variables":{"input":${json.replace('DEEP', deep)}}}`,
  });
  return response.json();
}
