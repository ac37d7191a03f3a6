import { describe, expect, test } from 'vitest';
import type { Behaviour } from '../../helpers/vendor/behaviour.ts';
import { all, never, outcome, request, start, tenWords, textOf } from './setup.ts';

const unavailable = { code: 'UPSTREAM_UNAVAILABLE', retryable: true };

describe('a stream that ends well', () => {
  test('gives reasoning, text, the finish and the counts', async () => {
    const { vendor, provider } = await start();
    vendor.next({ reply: 'It is four.', reasoning: 'Two and two.', cachedTokens: 3 });
    const chunks = await all(provider.chat(request(), never()));
    expect(textOf(chunks, 'reasoning')).toBe('Two and two.');
    expect(textOf(chunks)).toBe('It is four.');
    expect(chunks.slice(-2)).toEqual([
      { type: 'finish', reason: 'STOP' },
      { type: 'usage', tokens: { inputTokens: 5, cachedInputTokens: 3, outputTokens: expect.any(Number) } },
    ]);
  });

  test('reads reasoning in the field of OpenRouter too', async () => {
    const { vendor, provider } = await start();
    vendor.next({ reply: 'Four.', reasoning: 'Two and two.', reasoningField: 'reasoning' });
    expect(textOf(await all(provider.chat(request(), never())), 'reasoning')).toBe('Two and two.');
  });

  test.each([
    ['stop', 'STOP'],
    ['length', 'LENGTH'],
    ['tool_calls', 'TOOL_CALLS'],
    ['function_call', 'TOOL_CALLS'],
    ['content_filter', 'CONTENT_FILTER'],
    ['eos', 'STOP'],
  ])('maps finish_reason %s to %s', async (finishReason, reason) => {
    const { vendor, provider } = await start();
    vendor.next({ finishReason });
    expect(await all(provider.chat(request(), never()))).toContainEqual({ type: 'finish', reason });
  });

  test('needs no [DONE] and no usage after the finish', async () => {
    const { vendor, provider } = await start();
    vendor.next({ reply: tenWords, doneMark: false, usage: false });
    const { chunks, error } = await outcome(provider.chat(request(), never()));
    expect(error).toBeNull();
    expect(textOf(chunks)).toBe(tenWords);
    expect(chunks.at(-1)).toEqual({ type: 'finish', reason: 'STOP' });
  });

  test('keeps the last of many counts, and passes nothing on that comes after the finish', async () => {
    const { vendor, provider } = await start();
    const usage = (completion_tokens: number) => ({ prompt_tokens: 7, completion_tokens });
    vendor.next({
      contentType: 'text/event-stream',
      rawBody: [
        { choices: [{ index: 0, delta: { content: 'Hi' } }], usage: usage(1) },
        { choices: [{ index: 1, delta: { content: 'another choice' } }] },
        { choices: [{ index: 0, delta: { content: '!' }, finish_reason: 'stop' }], usage: usage(2) },
        { choices: [{ index: 0, delta: { content: 'late' }, finish_reason: 'length' }], usage: usage(3) },
      ]
        .map((event) => `: a comment\ndata: ${JSON.stringify(event)}\n\n`)
        .join(''),
    });
    expect(await all(provider.chat(request(), never()))).toEqual([
      { type: 'text', delta: 'Hi!' },
      { type: 'finish', reason: 'STOP' },
      { type: 'usage', tokens: { inputTokens: 7, cachedInputTokens: 0, outputTokens: 3 } },
    ]);
  });

  test('is whole when the last event has no blank line after it', async () => {
    const { vendor, provider } = await start();
    const event = { choices: [{ index: 0, delta: { content: 'Hi' }, finish_reason: 'stop' }] };
    vendor.next({ contentType: 'text/event-stream', rawBody: `data: ${JSON.stringify(event)}` });
    expect(await all(provider.chat(request(), never()))).toEqual([
      { type: 'text', delta: 'Hi' },
      { type: 'finish', reason: 'STOP' },
    ]);
  });
});

describe('a stream that ends badly', () => {
  const troubles: readonly (readonly [string, Behaviour, string])[] = [
    ['the socket is cut', { cutAfter: 3 }, 'closed the connection before the end of its reply'],
    ['an event is no JSON', { malformedAfter: 3 }, 'expected a JSON object, got {"choices":[{"index":0,"del'],
    ['an event is no object', { malformedAfter: 3, malformedChunk: '[1]' }, 'expected a JSON object, got [1]'],
    ['an event has no choices', { malformedAfter: 3, malformedChunk: '{"a":1}' }, 'expected `choices`'],
    [
      'the content is no text',
      { malformedAfter: 3, malformedChunk: '{"choices":[{"index":0,"delta":{"content":7}}]}' },
      'expected text in `delta.content`',
    ],
    ['an error is sent', { errorAfter: 3 }, 'answered 500: The server had an error while processing your request.'],
  ];
  test.each(troubles)('passes on what came, then fails, when %s', async (_, behaviour, message) => {
    const { vendor, provider } = await start();
    vendor.next({ reply: tenWords, ...behaviour });
    const { chunks, error } = await outcome(provider.chat(request(), never()));
    expect(textOf(chunks)).toBe('one two three');
    expect(chunks.every(({ type }) => type === 'text')).toBe(true);
    expect(error).toMatchObject(unavailable);
    expect(error?.message).toContain(message);
  });

  test.each([
    ['without [DONE]', false, 'got its end'],
    ['with [DONE]', true, 'got [DONE]'],
  ])('fails when no finish_reason came, %s', async (_, doneMark, message) => {
    const { vendor, provider } = await start();
    vendor.next({ reply: tenWords, finishReason: null, doneMark });
    const { chunks, error } = await outcome(provider.chat(request(), never()));
    expect(textOf(chunks)).toBe(tenWords);
    expect(error).toMatchObject(unavailable);
    expect(error?.message).toContain(`expected a \`finish_reason\` before the end of the stream, ${message}`);
  });

  test.each(['abort', 'insufficient_system_resource', 'never heard of'])(
    'does not take finish_reason %s for a clean end',
    async (finishReason) => {
      const { vendor, provider } = await start();
      vendor.next({ finishReason });
      const { chunks, error } = await outcome(provider.chat(request(), never()));
      expect(chunks.some(({ type }) => type === 'finish')).toBe(false);
      expect(error).toMatchObject(unavailable);
      expect(error?.message).toContain(finishReason);
    },
  );

  test.each([
    ['cut before the first token', { cutAfter: 0 }],
    ['an empty body', { rawBody: '', contentType: 'text/event-stream' }],
    ['HTML', { rawBody: '<html>Welcome</html>', contentType: 'text/html' }],
    ['JSON instead of a stream', { rawBody: '{"choices":[]}' }],
    ['no JSON in a JSON body', { rawBody: 'oops' }],
  ] satisfies [string, Behaviour][])('fails at once on %s', async (_, behaviour) => {
    const { vendor, provider } = await start();
    vendor.next(behaviour);
    const { chunks, error } = await outcome(provider.chat(request(), never()));
    expect(chunks).toEqual([]);
    expect(error).toMatchObject(unavailable);
  });

  test.each([
    [
      { code: 429, message: 'Slow down' },
      { code: 'RATE_LIMITED', retryable: true },
    ],
    [
      { code: 'context_length_exceeded', message: 'Too long' },
      { code: 'UPSTREAM_REJECTED', retryable: false },
    ],
    [{ code: 502, message: 'Bad gateway' }, unavailable],
    [
      { code: 401, message: 'No key' },
      { code: 'UPSTREAM_UNAVAILABLE', retryable: false },
    ],
  ])('translates an error in the stream by its code: %j', async (error, expected) => {
    const { vendor, provider } = await start();
    vendor.next({ errorAfter: 2, error });
    expect((await outcome(provider.chat(request(), never()))).error).toMatchObject(expected);
  });
});
