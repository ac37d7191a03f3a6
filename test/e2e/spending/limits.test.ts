import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { bounded, type Started, startChat, startLimited } from './setup.ts';

const ping = '{ viewer { tenant } }';

describe('a budget of dollars a day', () => {
  test('bears what it can in the worst case, and refuses the rest before anything is spent', async () => {
    // Of a question of 4 + 3 tokens around its text, and 5 of output.
    await using probe = await startLimited({});
    const first = await probe.gateway.data<Started, unknown>(startChat, { input: bounded('hello there') });
    const { inputTokens } = first.startChat.run.finished.usage;
    const worst = (inputTokens + 3 + 5) / 1e6;
    await using limited = await startLimited({ budgetUsdPerDay: 3 * worst });
    const { gateway, vendor } = limited;
    vendor.when(() => true, { reply: 'a b c d e f g h' });
    const runs = await Promise.all(
      Array.from({ length: 12 }, () =>
        gateway.data<Started, unknown>(startChat, { input: bounded('hello there', { runId: randomUUID() }) }),
      ),
    );
    const finished = runs.map(({ startChat: { run } }) => run.finished);
    expect(finished.filter(({ status }) => status === 'SUCCEEDED')).toHaveLength(3);
    expect(vendor.calls('/chat/completions')).toHaveLength(3);
    const refused = finished.find(({ status }) => status === 'FAILED');
    const midnight = new Date(new Date().setUTCHours(24, 0, 0, 0)).toISOString();
    expect(refused?.error).toMatchObject({
      code: 'BUDGET_EXCEEDED',
      message: expect.stringMatching(
        /^tenant "default" has a budget of \$0\.0000\d+ a day: .* this call may cost up to/,
      ),
      retryAfterMs: expect.any(Number),
      details: { renewsAt: midnight },
    });
  });

  test('counts embeddings too, and refuses only those who have spent theirs', async () => {
    await using limited = await startLimited({ budgetUsdPerDay: 0.000004 });
    const { gateway, vendor } = limited;
    const before = vendor.calls('/embeddings').length;
    const embedding = '{ embedding(text: "short") { tokens } }';
    expect((await gateway.request(embedding)).errors).toBeUndefined();
    const long = await gateway.request('{ embedding(text: "a text that is quite a bit longer than that") { tokens } }');
    expect(long.errors?.[0]).toMatchObject({ extensions: { code: 'BUDGET_EXCEEDED', renewsAt: expect.any(String) } });
    expect(vendor.calls('/embeddings')).toHaveLength(before + 1);
  });

  test('refuses a model without a price, unless it is allowed', async () => {
    const input = bounded('hello', { model: 'nameless' });
    await using strict = await startLimited({ budgetUsdPerDay: 1 });
    const refused = await strict.gateway.data<Started, unknown>(startChat, { input });
    expect(refused.startChat.run.finished.error).toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringContaining('model "nameless" has no known price'),
    });
    expect(strict.vendor.calls('/chat/completions')).toHaveLength(0);
    await using lax = await startLimited({ budgetUsdPerDay: 1 }, { allowUnknownPrice: true });
    const allowed = await lax.gateway.data<Started, unknown>(startChat, { input });
    expect(allowed.startChat.run.finished).toMatchObject({ status: 'SUCCEEDED', usage: { costUsd: null } });
  });

  test('bounds the output of a model that nobody knows the bound of', async () => {
    await using limited = await startLimited({ budgetUsdPerDay: 1 }, { allowUnknownPrice: true });
    const asked = async (model: string, maxOutputTokens: number | null) => {
      await limited.gateway.data<Started, unknown>(startChat, {
        input: { ...bounded('hello'), model, maxOutputTokens },
      });
      return limited.vendor.calls('/chat/completions').at(-1)?.body;
    };
    expect(await asked('boundless', null)).toMatchObject({ max_tokens: 4_096 });
    expect(await asked('boundless', 7)).toMatchObject({ max_tokens: 7 });
    // Its own bound is known: what it is asked for stays as it was.
    expect(await asked('gpt-4.1-mini', null)).not.toHaveProperty('max_tokens');
  });
});

describe('requests a minute', () => {
  test('are counted for every operation, whatever brings it', async () => {
    await using limited = await startLimited({ requestsPerMinute: 2 });
    const { gateway } = limited;
    expect((await gateway.request(ping)).errors).toBeUndefined();
    expect((await gateway.request(ping)).errors).toBeUndefined();
    const rateLimited = {
      message: expect.stringMatching(/^tenant "default" may use 2 requests a minute \(requestsPerMinute\)/),
      extensions: { code: 'RATE_LIMITED', retryable: true, limit: 2, retryAfterMs: expect.any(Number) },
    };
    expect((await gateway.request(ping)).errors).toEqual([rateLimited]);
    const http = await fetch(gateway.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: ping }),
    });
    expect(await http.json()).toMatchObject({ errors: [{ extensions: { code: 'RATE_LIMITED' } }] });
    const subscribing = gateway.subscribe(
      'subscription { runEvents(runId: "00000000-0000-4000-8000-000000000000") { seq } }',
    );
    await expect(subscribing[Symbol.asyncIterator]().next()).rejects.toMatchObject([
      { extensions: { code: 'RATE_LIMITED' } },
    ]);
    const agUi = await fetch(gateway.url.replace('/graphql', '/ag-ui'), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    expect(agUi.status).toBe(429);
    expect(Number(agUi.headers.get('retry-after'))).toBeGreaterThan(0);
  });
});

describe('a request whose variables are wrong', () => {
  test('is counted once', async () => {
    await using limited = await startLimited({ requestsPerMinute: 2 });
    const { gateway } = limited;
    const json = { headers: { accept: 'application/json' } };
    const wrong = await gateway.request('query($id: ID!) { node(id: $id) { id } }', {}, json);
    expect(wrong.errors).toMatchObject([{ extensions: { code: 'BAD_INPUT' } }]);
    expect((await gateway.request(ping, undefined, json)).errors).toBeUndefined();
    expect((await gateway.request(ping, undefined, json)).errors).toMatchObject([
      { extensions: { code: 'RATE_LIMITED' } },
    ]);
  });
});

describe('tokens a minute', () => {
  test('are used up by what calls really used', async () => {
    await using limited = await startLimited({ tokensPerMinute: 40 });
    const { gateway } = limited;
    const run = async () =>
      (await gateway.data<Started, unknown>(startChat, { input: bounded('hello') })).startChat.run.finished;
    for (let call = 0; call < 2; call += 1) expect(await run()).toMatchObject({ status: 'SUCCEEDED' });
    let last = await run();
    for (let call = 0; call < 5 && last.error === null; call += 1) last = await run();
    expect(last.error).toMatchObject({ code: 'RATE_LIMITED', message: expect.stringContaining('40 tokens a minute') });
  });
});

describe('runs at once', () => {
  test('are bounded, and a run that is there is found again all the same', async () => {
    await using limited = await startLimited({ maxConcurrentRuns: 1 });
    const { gateway, vendor } = limited;
    const gate = Promise.withResolvers<void>();
    vendor.next({ hold: gate.promise });
    const start = 'mutation Start($input: StartChatInput!) { startChat(input: $input) { run { runId } } }';
    const input = { ...bounded('hello'), runId: randomUUID() };
    await gateway.data(start, { input });
    const other = await gateway.request(start, { input: bounded('hello too') });
    expect(other.errors?.[0]).toMatchObject({
      message:
        'tenant "default" may have 1 runs at once (maxConcurrentRuns), and all are under way; try again when one has ended.',
      extensions: { code: 'RATE_LIMITED', retryAfterMs: 1_000, limit: 1 },
    });
    expect(await gateway.data(start, { input })).toEqual({ startChat: { run: { runId: input.runId } } });
    gate.resolve();
    const whole = await gateway.data<Started, unknown>(startChat, { input });
    expect(whole.startChat.run.finished.status).toBe('SUCCEEDED');
    // Nobody hears of an end before there is room for the next.
    for (let run = 0; run < 5; run += 1) {
      const next = await gateway.data<Started, unknown>(startChat, { input: bounded(`again ${run}`) });
      expect(next.startChat.run.finished.status).toBe('SUCCEEDED');
    }
  });
});
