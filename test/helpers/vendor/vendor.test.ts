import OpenAI from 'openai';
import { describe, expect, onTestFinished, test } from 'vitest';
import { jsonFor } from './json-for.ts';
import { vectorOf } from './vectors.ts';
import { startVendor, type VendorOptions } from './vendor.ts';

async function start(options: VendorOptions = {}) {
  const vendor = await startVendor({ apiKey: 'sk-vendor', ...options });
  onTestFinished(() => vendor.close());
  // The official client, as a second opinion on the protocol.
  return { vendor, client: new OpenAI({ baseURL: vendor.url, apiKey: 'sk-vendor', maxRetries: 0 }) };
}

const messages = [{ role: 'user' as const, content: 'Hello' }];

describe('the vendor double', () => {
  test("satisfies OpenAI's own client: chat, streams, embeddings and models", async () => {
    const { client } = await start();
    const whole = await client.chat.completions.create({ model: 'm', messages });
    let text = '';
    for await (const chunk of await client.chat.completions.create({ model: 'm', messages, stream: true })) {
      text += chunk.choices[0]?.delta.content ?? '';
    }
    expect(text).toBe(whole.choices[0]?.message.content);
    expect(text.split(' ').length).toBeGreaterThan(35);
    const { data, usage } = await client.embeddings.create({ model: 'e', input: ['an otter', 'a badger'] });
    expect(data[1]?.embedding).toEqual([...vectorOf('a badger', 256)]);
    expect(usage.prompt_tokens).toBeGreaterThan(2);
    expect((await client.models.list()).data.map(({ id }) => id)).toContain('gpt-4.1-mini');
  });

  test('quotes the numbered sources of the prompt', async () => {
    const { client } = await start();
    const content =
      'Cite.\n\n[1] Otters\nOtters swim well. They eat fish.\n\n[2] Badgers dig. They sleep.\n[12] Herons fly';
    const reply = await client.chat.completions.create({
      model: 'm',
      messages: [{ role: 'system', content }, ...messages],
    });
    expect(reply.choices[0]?.message.content).toBe(
      'According to the sources, this is what is known. Otters swim well [1]. Badgers dig [2]. Herons fly [12].',
    );
  });

  test.each([
    [{ model: 'm', messages: [] }, 'messages'],
    [{ model: 'm' }, 'messages'],
    [{ messages }, 'model'],
    [{ model: 'm', messages: [{ role: 'robot', content: 'x' }] }, 'messages[0].role'],
    [{ model: 'm', messages, temperature: 3 }, 'temperature'],
    [{ model: 'm', messages, stream_options: { include_usage: true } }, 'stream_options'],
    [{ model: 'm', messages, reasoning_effort: 'HIGH' }, 'reasoning_effort'],
    [{ model: 'm', messages: [{ role: 'user', content: [{ type: 'video', video: {} }] }] }, 'messages[0].content[0]'],
  ])('answers 400 to %j and names %s', async (body, param) => {
    const { client } = await start();
    await expect(client.post('/chat/completions', { body })).rejects.toMatchObject({ status: 400, param });
  });

  test('knows who may call', async () => {
    const { vendor } = await start();
    const stranger = new OpenAI({ baseURL: vendor.url, apiKey: 'sk-other', maxRetries: 0 });
    await expect(stranger.models.list()).rejects.toMatchObject({ status: 401 });
  });

  test('uses up what is queued, then follows the newest rule, then its defaults', async () => {
    const { vendor, client } = await start({ defaults: { reply: 'default' } });
    const say = async () =>
      (await client.chat.completions.create({ model: 'm', messages })).choices[0]?.message.content;
    vendor.when(() => true, { reply: 'older rule' });
    const remove = vendor.when(({ body }) => JSON.stringify(body).includes('Hello'), {
      reply: (request) => `rule for ${request.model}`,
    });
    vendor.next({ reply: 'first' }, { reply: 'second' });
    expect([await say(), await say(), await say()]).toEqual(['first', 'second', 'rule for m']);
    remove();
    expect(await say()).toBe('older rule');
  });

  test('paces its tokens by the clock and writes a journal', async () => {
    const { vendor, client } = await start();
    vendor.next({ reply: 'a b c d e f', tokensPerSecond: 50 });
    const startedAt = performance.now();
    for await (const _ of await client.chat.completions.create({ model: 'm', messages, stream: true }));
    // Five gaps of 20 ms.
    expect(performance.now() - startedAt).toBeGreaterThan(95);
    const call = await vendor.waitForClose(await vendor.waitForCall('/chat/completions'));
    expect(call).toMatchObject({ number: 1, completed: true, status: 200, tokensSent: 6, body: { model: 'm' } });
  });

  test('waits in mid-stream until its gates are opened', async () => {
    const { vendor, client } = await start();
    const gates = [1, 4].map((afterTokens) => ({ afterTokens, ...Promise.withResolvers<void>() }));
    vendor.next({
      reply: 'a b c d e f',
      gates: gates.map(({ afterTokens, promise: opened }) => ({ afterTokens, opened })),
    });
    const pieces: string[] = [];
    for await (const { choices } of await client.chat.completions.create({ model: 'm', messages, stream: true })) {
      pieces.push(choices[0]?.delta.content ?? '');
      const text = pieces.join('');
      const next = gates.find(({ afterTokens }) => text.split(/\s+/).filter(Boolean).length === afterTokens);
      if (next) {
        expect(vendor.calls()[0]?.tokensSent).toBe(next.afterTokens);
        next.resolve();
      }
    }
    expect(pieces.join('')).toBe('a b c d e f');
  });

  test('keeps only as many calls as asked for', async () => {
    const { vendor, client } = await start({ keepCalls: 2 });
    for (let call = 0; call < 3; call++) await client.models.list();
    expect(vendor.calls().map(({ number }) => number)).toEqual([2, 3]);
  });
});

test('vectors of texts that share words are near, and have length 1', () => {
  const dot = (left: string, right: string) => {
    const other = vectorOf(right, 256);
    return vectorOf(left, 256).reduce((sum, value, index) => sum + value * (other[index] ?? 0), 0);
  };
  expect(dot('otters swim', 'otters swim')).toBeCloseTo(1, 5);
  expect(dot('how do otters swim?', 'the otter is swimming')).toBeGreaterThan(0.9);
  expect(Math.abs(dot('otters swim', 'quarterly report'))).toBeLessThan(0.3);
  for (const text of ['', '!!!', '熊', 'the of and']) expect(Math.hypot(...vectorOf(text, 8))).toBeCloseTo(1, 5);
});

test('a JSON Schema gets a value that satisfies it', () => {
  const properties = {
    grounded: { type: 'boolean' },
    score: { type: 'number', minimum: 0.5 },
    kind: { enum: ['A', 'B'] },
    names: { type: 'array', items: { type: 'string', minLength: 6 }, minItems: 2 },
    more: { anyOf: [{ type: 'null' }, { type: 'string' }] },
  };
  expect(jsonFor({ type: 'object', properties })).toEqual({
    grounded: true,
    score: 0.5,
    kind: 'A',
    names: ['text..', 'text..'],
    more: null,
  });
});
