import { afterAll, beforeAll, expect, test } from 'vitest';
import { localProvider } from '../../../adapters/local/local-provider.ts';
import type { ChatChunk, ChatRequest } from '../../../core/contracts/model-provider.ts';
import { topics } from './questions.ts';

const never = new AbortController().signal;
const provider = localProvider({ workers: 1 });
beforeAll(() => provider.ready);
afterAll(() => provider.close());

const embed = async (...texts: string[]) => (await provider.embed({ model: 'all-MiniLM-L6-v2', texts }, never)).vectors;
const dot = (left?: Float32Array, right?: Float32Array) =>
  left?.reduce((sum, value, index) => sum + value * (right?.[index] ?? 0), 0) ?? 0;

const billing = (topics.tuning[0]?.passages ?? []).map((text, index) => ({
  number: index + 1,
  title: 'Billing',
  text,
}));
const question = (text: string, more: Partial<ChatRequest> = {}): ChatRequest => ({
  model: 'extractive',
  messages: [{ role: 'USER', text }],
  sources: billing,
  ...more,
});
async function collect(request: ChatRequest): Promise<ChatChunk[]> {
  const chunks: ChatChunk[] = [];
  for await (const chunk of provider.chat(request, never)) chunks.push(chunk);
  return chunks;
}

test('says what it is', async () => {
  expect(provider).toMatchObject({ name: 'local', generative: false });
  expect(await provider.models(never)).toEqual([
    { name: 'all-MiniLM-L6-v2', capabilities: ['EMBEDDING'], contextWindow: 256 },
    { name: 'extractive', capabilities: ['CHAT'], contextWindow: null },
  ]);
});

test('embeds meaning: a paraphrase is nearer than other words', async () => {
  const [query, paraphrase, other] = await embed(
    'How do I get my money back?',
    'Purchases can be refunded.',
    'Bees dance in the sun.',
  );
  expect(query).toHaveLength(384);
  expect(dot(query, query)).toBeCloseTo(1, 4);
  expect(dot(query, paraphrase)).toBeGreaterThan(dot(query, other) + 0.2);
});

test('a query is answered while three calls of eight passages are under way', { timeout: 60_000 }, async () => {
  const passage = 'The gateway does the coordination that work of this kind needs. '.repeat(5);
  const passages = Array.from({ length: 8 }, (_, index) => `${index} ${passage}`);
  let isBatchDone = false;
  const batch = Promise.race([1, 2, 3].map(() => embed(...passages))).then(() => {
    isBatchDone = true;
  });
  await embed('a query');
  expect(isBatchDone).toBe(false);
  await batch;
});

test('an abort ends an embedding that is under way', async () => {
  const controller = new AbortController();
  const texts = Array.from({ length: 8 }, (_, index) => `passage ${index} `.repeat(60));
  const call = provider.embed({ model: 'all-MiniLM-L6-v2', texts }, controller.signal);
  controller.abort();
  await expect(call).rejects.toMatchObject({ code: 'CANCELLED' });
});

test('does not read a long text to its end', { timeout: 20_000 }, async () => {
  // Of all threads: the model has one of its own.
  const before = process.cpuUsage();
  await embed('word '.repeat(200_000));
  const { user, system } = process.cpuUsage(before);
  expect(
    dot(...((await embed('word '.repeat(1_000), 'word '.repeat(200_000))) as [Float32Array, Float32Array])),
  ).toBeCloseTo(1, 3);
  expect((user + system) / 1_000).toBeLessThan(3_000);
});

test.each([
  [{ model: 'extractive', texts: ['a'] }, /"all-MiniLM-L6-v2".*"extractive"/],
  [{ model: 'all-MiniLM-L6-v2', texts: ['a'], dimensions: 256 }, /384.*256/],
  [{ model: 'all-MiniLM-L6-v2', texts: Array(9).fill('a') }, /8.*9/],
  [{ model: 'all-MiniLM-L6-v2', texts: ['a', ''] }, /empty.* 1$/],
])('refuses to embed %j', async (request, message) => {
  await expect(provider.embed(request, never)).rejects.toMatchObject({
    code: 'BAD_INPUT',
    message: expect.stringMatching(message),
  });
});

test('streams an answer in several chunks, and completes the same', async () => {
  const request = question('How many reminders are sent when a payment is late?');
  const chunks = await collect(request);
  const texts = chunks.flatMap((chunk) => (chunk.type === 'text' ? [chunk.delta] : []));
  expect(texts.length).toBeGreaterThan(3);
  expect(texts.join('')).toBe(
    'If payment does not arrive in time, we send two reminders, a week apart, before the account is limited to reading. [1]',
  );
  expect(chunks.at(-1)).toEqual({ type: 'finish', reason: 'STOP' });
  expect(await provider.complete(request, never)).toEqual({ text: texts.join(''), finishReason: 'STOP', tokens: null });
});

test('refuses what the documents do not say, without a mark', async () => {
  const { text, finishReason } = await provider.complete(question('Which flowers do bumblebees prefer?'), never);
  expect(text).toBe('The documents do not answer this.');
  expect(finishReason).toBe('STOP');
  expect((await provider.complete(question('What?', { sources: [] }), never)).text).toMatch(
    /^The documents do not answer this/,
  );
});

test('asks for documents when there was no retrieval', async () => {
  const { text, finishReason } = await provider.complete(question('What is due?', { sources: null }), never);
  expect(text).toContain('`retrieval`');
  expect(finishReason).toBe('STOP');
});

test('a follow-up question is read with the one before it', async () => {
  const messages = [
    { role: 'USER', text: 'How many reminders are sent when a payment is late?' },
    { role: 'ASSISTANT', text: 'Two.' },
    { role: 'USER', text: 'How many?' },
  ] as const;
  expect((await provider.complete(question('', { messages }), never)).text).toContain('two reminders');
});

test.each(['Please summarise these documents in at most 60 words.', 'tl;dr'])(
  'summarises when asked: %s',
  async (text) => {
    const summary = (await provider.complete(question(text), never)).text;
    const sentences = [...summary.matchAll(/([^\]]+?) \[(\d)\]\s?/g)];
    expect(sentences.length).toBeGreaterThan(1);
    for (const [, sentence = '', number] of sentences) expect(billing[Number(number) - 1]?.text).toContain(sentence);
    if (text.includes('60')) expect(summary.replace(/ \[\d\]/g, '').split(/\s+/).length).toBeLessThanOrEqual(60);
  },
);

test('summarises what core asks it to, about a title that no sentence repeats', async () => {
  const messages = [
    { role: 'SYSTEM', text: 'Summarise in at most 40 words.\nUse only the numbered sources.' },
    { role: 'USER', text: 'billing.md' },
  ] as const;
  const { text } = await provider.complete(question('', { messages }), never);
  expect(text).toMatch(/\[\d\]/);
  expect(text.replace(/ \[\d\]/g, '').split(/\s+/).length).toBeLessThanOrEqual(40);
});

test('stops at maxOutputTokens, between words', async () => {
  const request = question('How many reminders are sent when a payment is late?', { maxOutputTokens: 6 });
  expect(await provider.complete(request, never)).toMatchObject({
    text: 'If payment does not arrive in',
    finishReason: 'LENGTH',
  });
  expect((await collect(request)).at(-1)).toEqual({ type: 'finish', reason: 'LENGTH' });
});

test('stops before a stop sequence', async () => {
  const request = question('How many reminders are sent when a payment is late?', { stop: ['nowhere', ', we send'] });
  expect(await provider.complete(request, never)).toMatchObject({
    text: 'If payment does not arrive in time',
    finishReason: 'STOP',
  });
});

test.each([
  ['a response schema', { responseSchema: { type: 'object' } }, /responseSchema.*"extractive".*JSON/],
  [
    'an attachment',
    { messages: [{ role: 'USER' as const, text: 'a', attachments: [{ mimeType: 'image/png', url: 'x' }] }] },
    /attachments/,
  ],
  ['another model', { model: 'gpt-9' }, /"extractive".*"gpt-9"/],
  ['no question', { messages: [{ role: 'SYSTEM' as const, text: 'a' }] }, /USER/],
])('refuses %s', async (_, more, message) => {
  const expected = { code: 'BAD_INPUT', retryable: false, message: expect.stringMatching(message) };
  await expect(provider.complete(question('a', more), never)).rejects.toMatchObject(expected);
  await expect(collect(question('a', more))).rejects.toMatchObject(expected);
});

test('an abort between two chunks ends the stream', async () => {
  const controller = new AbortController();
  const seen: ChatChunk[] = [];
  const reading = (async () => {
    for await (const chunk of provider.chat(
      question('How many reminders are sent when a payment is late?'),
      controller.signal,
    )) {
      seen.push(chunk);
      controller.abort();
    }
  })();
  await expect(reading).rejects.toMatchObject({ code: 'CANCELLED' });
  expect(seen).toHaveLength(1);
});

test('answers from words alone while the model still loads, and never after it was closed', async () => {
  const fresh = localProvider({ workers: 1 });
  const request = question('How many reminders are sent when a payment is late?');
  expect((await fresh.complete(request, never)).text).toContain('two reminders');
  await fresh.close();
  await expect(fresh.ready).rejects.toMatchObject({ code: 'CANCELLED' });
  await expect(fresh.embed({ model: 'all-MiniLM-L6-v2', texts: ['a'] }, never)).rejects.toMatchObject({
    code: 'CANCELLED',
  });
});

test('refuses a number of workers that cannot be', () => {
  expect(() => localProvider({ workers: 0 })).toThrow(/workers.*1–64.*0/);
});
