import { describe, expect, test } from 'vitest';
import type { Behaviour, WireEmbedding } from '../../helpers/vendor/behaviour.ts';
import { vectorOf } from '../../helpers/vendor/vectors.ts';
import { failure, never, request, start, tenWords } from './setup.ts';

const unavailable = { code: 'UPSTREAM_UNAVAILABLE', retryable: true };

describe('a reply in one piece', () => {
  test('gives the text, the reason and the counts', async () => {
    const { vendor, provider } = await start();
    vendor.next({ reply: tenWords, cachedTokens: 2, reasoning: 'Hm.' });
    expect(await provider.complete(request(), never())).toEqual({
      text: tenWords,
      finishReason: 'STOP',
      tokens: { inputTokens: 5, cachedInputTokens: 2, outputTokens: expect.any(Number) },
    });
  });

  test('has no counts when none were sent, and no text when it is null', async () => {
    const { vendor, provider } = await start();
    vendor.next({ rawBody: '{"choices":[{"message":{"content":null},"finish_reason":"content_filter"}]}' });
    expect(await provider.complete(request(), never())).toEqual({
      text: '',
      finishReason: 'CONTENT_FILTER',
      tokens: null,
    });
  });

  test("says a model's refusal as its text", async () => {
    const { vendor, provider } = await start();
    const choice = { message: { content: null, refusal: 'I will not.' }, finish_reason: 'stop' };
    vendor.next({ rawBody: JSON.stringify({ choices: [choice] }) });
    expect((await provider.complete(request(), never())).text).toBe('I will not.');
  });

  test.each([
    ['no JSON', { rawBody: '<html>' }, 'expected JSON, got <html>'],
    ['nothing', { rawBody: '' }, 'expected JSON, got an empty body'],
    ['no object', { rawBody: '[]' }, 'expected a JSON object, got []'],
    ['no choice', { rawBody: '{"choices":[]}' }, 'expected `choices[0].message`'],
    ['no text', { rawBody: '{"choices":[{"message":{"content":[]},"finish_reason":"stop"}]}' }, 'expected text'],
    ['no finish_reason', { finishReason: null }, 'got null'],
    ['a half', { cutAfter: 1 }, 'closed the connection before the end'],
  ] satisfies [string, Behaviour, string][])('that is %s is a failure that says so', async (_, behaviour, message) => {
    const { vendor, provider } = await start();
    vendor.next(behaviour);
    const error = await failure(provider.complete(request(), never()));
    expect(error).toMatchObject(unavailable);
    expect(error.message).toContain(message);
  });
});

describe('embeddings', () => {
  const texts = ['an otter swims', 'a badger digs', 'a heron flies'];

  test('come as base64 and are the numbers that were sent', async () => {
    const { vendor, provider } = await start();
    const { vectors, tokens } = await provider.embed({ model: 'm', texts }, never());
    expect(vectors).toEqual(texts.map((text) => vectorOf(text, 256)));
    expect(tokens).toBeGreaterThan(texts.length);
    expect((await vendor.waitForCall('/embeddings')).body).toEqual({
      model: 'm',
      input: texts,
      encoding_format: 'base64',
    });
  });

  test('may come as arrays, in any order, and without counts', async () => {
    const { vendor, provider } = await start();
    vendor.nextOf('/embeddings', {
      usage: false,
      embeddings: (data) =>
        data.map(({ index }) => ({ index, embedding: [...vectorOf(texts[index] ?? '', 256)] })).reverse(),
    });
    const { vectors, tokens } = await provider.embed({ model: 'm', texts }, never());
    expect(vectors).toEqual(texts.map((text) => vectorOf(text, 256)));
    expect(tokens).toBeNull();
  });

  test('are as short as asked for', async () => {
    const { vendor, provider } = await start();
    const { vectors } = await provider.embed({ model: 'm', texts, dimensions: 64 }, never());
    expect(vectors.map(({ length }) => length)).toEqual([64, 64, 64]);
    expect((await vendor.waitForCall('/embeddings')).body).toMatchObject({ dimensions: 64 });
  });

  test('of no texts cost no call', async () => {
    const { vendor, provider } = await start();
    expect(await provider.embed({ model: 'm', texts: [] }, never())).toEqual({ vectors: [], tokens: 0 });
    expect(vendor.calls()).toHaveLength(0);
  });

  const first = (change: Partial<Record<keyof WireEmbedding, unknown>>): Behaviour => ({
    embeddings: (data) => data.map((item, index) => (index === 0 ? { ...item, ...change } : item)),
  });
  test.each([
    ['one is missing', { embeddings: (data) => data.slice(1) }, 'expected 3 vectors, one per text, got 2'],
    ['an index comes twice', first({ index: 2 }), 'expected each `index` of 0–2 once'],
    ['an index is out of range', first({ index: 3 }), 'expected each `index` of 0–2 once, got 3 at 0'],
    ['an index is no number', first({ index: '0' }), 'expected each `index` of 0–2 once'],
    ['one is shorter', first({ embedding: [1, 2] }), 'expected vectors of one length'],
    ['one is empty', first({ embedding: [] }), 'expected data[0].embedding as base64 or an array of numbers'],
    ['one is null', first({ embedding: null }), 'expected data[0].embedding as base64 or an array of numbers'],
    ['a number is null', first({ embedding: [1, null] }), 'expected finite numbers in data[0].embedding, got NaN at 1'],
    ['the bytes are no floats', first({ embedding: 'AAA=' }), 'expected data[0].embedding as base64'],
    ['there is no data', { rawBody: '{}' }, 'expected `data` with the vectors'],
    ['it is no JSON', { rawBody: 'vectors!' }, 'expected JSON, got vectors!'],
  ] satisfies [string, Behaviour, string][])('fail when %s', async (_, behaviour, message) => {
    const { vendor, provider } = await start();
    vendor.nextOf('/embeddings', behaviour);
    const error = await failure(provider.embed({ model: 'm', texts }, never()));
    expect(error).toMatchObject(unavailable);
    expect(error.message).toContain(message);
  });
});

describe('the list of models', () => {
  test('tells what can be told from a name, and the context window where the server says it', async () => {
    const { vendor, provider } = await start();
    const data = [
      { id: 'gpt-4.1-mini' },
      { id: 'text-embedding-3-small' },
      { id: 'nomic-embed-text:latest' },
      { id: 'omni-moderation-latest' },
      { id: 'whisper-1' },
      { id: 'bge-reranker-v2' },
      { id: 'llama-3.3-70b', max_model_len: 8192 },
    ];
    vendor.nextOf('/models', { rawBody: JSON.stringify({ data }) });
    expect(await provider.models(never())).toEqual([
      { name: 'gpt-4.1-mini', capabilities: ['CHAT'], contextWindow: null },
      { name: 'text-embedding-3-small', capabilities: ['EMBEDDING'], contextWindow: null },
      { name: 'nomic-embed-text:latest', capabilities: ['EMBEDDING'], contextWindow: null },
      { name: 'omni-moderation-latest', capabilities: ['MODERATION'], contextWindow: null },
      { name: 'whisper-1', capabilities: [], contextWindow: null },
      { name: 'bge-reranker-v2', capabilities: ['RERANK'], contextWindow: null },
      { name: 'llama-3.3-70b', capabilities: ['CHAT'], contextWindow: 8192 },
    ]);
  });

  test('that is none is a failure', async () => {
    const { vendor, provider } = await start();
    vendor.nextOf('/models', { rawBody: '{"data":[{"name":"no id"}]}' });
    expect(await failure(provider.models(never()))).toMatchObject(unavailable);
  });
});
