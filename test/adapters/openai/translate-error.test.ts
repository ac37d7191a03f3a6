import { describe, expect, test } from 'vitest';
import type { Behaviour } from '../../helpers/vendor/behaviour.ts';
import { all, apiKey, failure, never, request, start } from './setup.ts';

describe('an answer that is an error', () => {
  const rejected = { code: 'UPSTREAM_REJECTED', retryable: false };
  const unavailable = { code: 'UPSTREAM_UNAVAILABLE', retryable: true };
  const refused = { code: 'UPSTREAM_UNAVAILABLE', retryable: false };
  const table: readonly (readonly [string, Behaviour, object])[] = [
    ['400', { status: 400 }, rejected],
    ['404', { status: 404 }, rejected],
    ['413', { status: 413 }, rejected],
    ['422', { status: 422 }, rejected],
    ['402, no credit', { status: 402 }, rejected],
    ['401', { status: 401 }, refused],
    ['403', { status: 403 }, refused],
    ['408', { status: 408 }, unavailable],
    ['409', { status: 409 }, unavailable],
    ['500', { status: 500 }, unavailable],
    ['502', { status: 502 }, unavailable],
    ['503', { status: 503 }, unavailable],
    ['529', { status: 529 }, unavailable],
    ['429', { status: 429 }, { code: 'RATE_LIMITED', retryable: true }],
    ['429 insufficient_quota', { status: 429, error: { code: 'insufficient_quota' } }, rejected],
    ['429 insufficient_quota as its type', { status: 429, error: { type: 'insufficient_quota' } }, rejected],
    ['400 context_length_exceeded', { status: 400, error: { code: 'context_length_exceeded' } }, rejected],
    ['500 context_length_exceeded', { status: 500, error: { code: 'context_length_exceeded' } }, rejected],
    ['400 content_filter', { status: 400, error: { code: 'content_filter' } }, rejected],
    ['a redirect', { status: 308, headers: { location: '/elsewhere' } }, refused],
  ];
  test.each(table)(
    '%s is translated alike for streams, replies, embeddings and models',
    async (_, behaviour, expected) => {
      const { vendor, provider } = await start();
      vendor.when(() => true, behaviour);
      const errors = await Promise.all([
        failure(all(provider.chat(request(), never()))),
        failure(provider.complete(request(), never())),
        failure(provider.embed({ model: 'e', texts: ['a'] }, never())),
        failure(provider.models(never())),
      ]);
      for (const error of errors) expect(error).toMatchObject(expected);
      expect(vendor.calls()).toHaveLength(4);
    },
  );

  test.each([
    ['retry-after in seconds', { 'retry-after': '7' }, 7_000],
    ['retry-after with a fraction', { 'retry-after': '0.25' }, 250],
    ['retry-after-ms, which is more exact', { 'retry-after': '1', 'retry-after-ms': '120.5' }, 121],
    ['a date that has passed', { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }, 0],
    ['no such header', {}, undefined],
    ['nonsense', { 'retry-after': 'soon' }, undefined],
  ])('reads the wait from %s', async (_, headers, retryAfterMs) => {
    const { vendor, provider } = await start();
    vendor.next({ status: 429, headers });
    const error = await failure(provider.complete(request(), never()));
    expect(error.details.retryAfterMs).toBe(retryAfterMs);
  });

  test('reads the wait from a date that is to come, also for 503', async () => {
    const { vendor, provider } = await start();
    const at = Date.now() + 30_000;
    vendor.next({ status: 503, headers: { 'retry-after': new Date(at).toUTCString() } });
    const error = await failure(provider.complete(request(), never()));
    expect(error.details.retryAfterMs).toBeGreaterThan(20_000);
    expect(error.details.retryAfterMs).toBeLessThanOrEqual(30_000);
  });

  test("passes on the provider's own words, wherever they stand", async () => {
    const { vendor, provider } = await start();
    const bodies = [
      '{"error":{"message":"The words."}}',
      '{"error":"The words."}',
      '{"detail":"The words."}',
      '{"message":"The words.","object":"error"}',
      'The words.',
    ];
    for (const rawBody of bodies) {
      vendor.nextOf('/chat/completions', { status: 400, rawBody });
      // `rawBody` replaces the body of an error too.
      const error = await failure(provider.complete(request(), never()));
      expect(error.message, rawBody).toBe('openai answered 400: The words.');
    }
    vendor.next({ status: 500, rawBody: '' });
    expect((await failure(provider.complete(request(), never()))).message).toMatch(/^openai answered 500/);
  });

  test('refuses a prompt that is longer than the context window as the input that it is', async () => {
    const { provider } = await start({}, { contextWindow: 20 });
    const long = request({ messages: [{ role: 'USER', text: 'word '.repeat(100) }] });
    const error = await failure(provider.complete(long, never()));
    expect(error).toMatchObject(rejected);
    expect(error.message).toContain('maximum context length is 20 tokens');
  });

  test('takes an error that travels as status 200 for what it is', async () => {
    const { vendor, provider } = await start();
    const rawBody = '{"error":{"message":"Upstream is down","code":502}}';
    vendor.when(() => true, { rawBody });
    for (const call of [
      () => provider.complete(request(), never()),
      () => all(provider.chat(request(), never())),
      () => provider.embed({ model: 'e', texts: ['a'] }, never()),
    ]) {
      const error = await failure(call());
      expect(error).toMatchObject(unavailable);
      expect(error.message).toContain('Upstream is down');
    }
  });
});

describe('secrets', () => {
  const secretHeader = 'proxy-password-1';
  const everything = (error: unknown): string => {
    const seen: string[] = [];
    for (let cause = error; cause instanceof Error; cause = cause.cause) {
      seen.push(cause.message, cause.stack ?? '', JSON.stringify(cause));
    }
    return seen.join('\n');
  };

  test('says that the key was refused, and not the key', async () => {
    const { provider } = await start({ apiKey: 'sk-wrong-9876543210' });
    const error = await failure(provider.complete(request(), never()));
    expect(error).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', retryable: false });
    expect(error.message).toContain("refused the gateway's own key");
    expect(everything(error)).not.toContain('9876543210');
  });

  test.each([
    ['the key', `Bad key ${apiKey}, sorry`],
    ['the key as it was sent', `Got header Authorization: Bearer ${apiKey}`],
    ['a masked key', 'Incorrect key sk-te******6789 given'],
    ['a secret header', `x-proxy was ${secretHeader}`],
    ['the key next to other words', `"${apiKey}"/${apiKey}`],
  ])('takes %s out of what the provider says', async (_, message) => {
    const { vendor, provider } = await start({ headers: { 'x-proxy': secretHeader } });
    const error = { message };
    vendor.next(
      { status: 400, error },
      { status: 500, rawBody: message },
      { errorAfter: 1, error },
      { rawBody: message },
    );
    const errors = [
      await failure(provider.complete(request(), never())),
      await failure(provider.complete(request(), never())),
      await failure(all(provider.chat(request(), never()))),
      await failure(provider.complete(request(), never())),
    ];
    for (const fault of errors) {
      expect(fault.message).toContain('[redacted]');
      expect(everything(fault)).not.toMatch(/0123456789|sk-te|6789|proxy-password/);
    }
  });

  test('bounds what the provider says', async () => {
    const { vendor, provider } = await start();
    vendor.next({ status: 500, error: { message: 'no '.repeat(10_000) } });
    expect((await failure(provider.complete(request(), never()))).message.length).toBeLessThan(600);
  });
});
