import { describe, expect, test, vi } from 'vitest';
import { memoryResponseCache } from '../../../../adapters/memory/response-cache.ts';
import type { EmbedRequest } from '../../../../core/contracts/model-provider.ts';
import type { ModelRequest } from '../../../../core/models/models.ts';
import { mayHaveOneAnswer } from '../../../../core/models/sharing/same-question.ts';
import { shareModels } from '../../../../core/models/sharing/share-models.ts';
import { SimilarReplies } from '../../../../core/models/sharing/similar-replies.ts';
import { rejected, type Script, says, scriptedProvider } from '../../../helpers/scripted-provider.ts';
import { ask, callerOf, poolOf, textOf } from '../pool.ts';

/** Texts about otters point one way, a little apart by their length; all others another way. */
async function embed({ texts }: EmbedRequest) {
  const vectors = texts.map((text) => Float32Array.of(text.includes('otter') ? 1 : 0, 1, text.length / 1_000));
  return { vectors, tokens: texts.length };
}

function similar(script: Script = {}, ttlMs = 60_000, cache: { readonly ttlMs: number } | null = null) {
  const provider = scriptedProvider({ embed, chat: (_request, _signal, call) => says(`Answer ${call}`), ...script });
  const look = vi.fn();
  const models = shareModels(poolOf(provider), {
    policyOf: () => ({ coalesce: false, cache, semantic: { threshold: 0.95, ttlMs, embeddingModel: null } }),
    cache: memoryResponseCache({ maxBytes: 1_000_000 }),
    similarBytes: 1_000_000,
    observer: { cache: look },
  });
  const answer = (request: ModelRequest, tenant = 'acme') => textOf(models.chat(request, callerOf(tenant)));
  return { provider, models, answer, look };
}

describe('a question that means the same as an answered one', () => {
  test('is answered alike without a call of the model', async () => {
    const { provider, models, answer, look } = similar();
    expect(await answer(ask('How do otters sleep?'))).toBe('Answer 1');
    const caller = callerOf();
    expect(await textOf(models.chat(ask('In which way do otters sleep?'), caller))).toBe('Answer 1');
    expect(await answer(ask('How do herons sleep?'))).toBe('Answer 2');
    expect(provider.chats).toHaveLength(2);
    expect(caller.meter.usage, 'the vector of its question').toMatchObject({
      calls: 1,
      inputTokens: 1,
      outputTokens: 0,
    });
    expect(look.mock.calls.filter(([kind]) => kind === 'semantic').map(([, , isHit]) => isHit)).toEqual([
      false,
      true,
      false,
    ]);
  });

  test('is not the same in another context: whatever else differs, it is asked', async () => {
    const { provider, answer } = similar();
    const question = ask('How do otters sleep?');
    const [message] = question.messages;
    if (message === undefined) throw new Error('no question');
    const source = { number: 1, title: null, text: 'Otters hold hands.' };
    const image = { mimeType: 'image/png', base64: 'AAAA' };
    const contexts: ModelRequest[] = [
      question,
      { ...question, model: 'other' },
      { ...question, messages: [{ role: 'SYSTEM', text: 'Be brief.' }, message] },
      { ...question, messages: [{ role: 'SYSTEM', text: 'Be long.' }, message] },
      { ...question, messages: [{ role: 'USER', text: 'Hi' }, { role: 'ASSISTANT', text: 'Hello' }, message] },
      { ...question, messages: [{ ...message, attachments: [image] }] },
      { ...question, sources: [source] },
      { ...question, sources: [{ ...source, text: 'Otters sleep afloat.' }] },
      { ...question, temperature: 0.5 },
      { ...question, responseSchema: { type: 'object' } },
      { ...question, providerOptions: { tools: [{ type: 'function', function: { name: 'f' } }] } },
    ];
    for (const context of contexts) await answer(context);
    await answer(question, 'globex');
    expect(provider.chats).toHaveLength(contexts.length + 1);
    for (const { messages, ...context } of contexts) {
      await answer({
        ...context,
        messages: [...messages.slice(0, -1), { ...messages.at(-1), role: 'USER', text: 'Do otters sleep?' }],
      });
    }
    expect(provider.chats, 'each is answered again in its own context').toHaveLength(contexts.length + 1);
  });

  test('with another number or a negation is another question', async () => {
    const { provider, answer } = similar();
    for (const text of ['May 2 otters sleep?', 'May 3 otters sleep?', 'May 2 otters not sleep?'])
      await answer(ask(text));
    expect(provider.chats).toHaveLength(3);
  });

  test('is asked again when the time of the answer is over, whatever cache it came from', async () => {
    const { provider, answer } = similar({}, 150, { ttlMs: 60_000 });
    await answer(ask('How do otters sleep?'));
    expect(await answer(ask('Do otters sleep?'))).toBe('Answer 1');
    await expect.poll(() => answer(ask('Do otters sleep?'))).toBe('Answer 2');
    expect(provider.chats).toHaveLength(2);
  });

  test('is asked when its vector cannot be had, and when it is longer than a question', async () => {
    const failing = similar({ embed: () => Promise.reject(rejected()) });
    for (const text of ['How do otters sleep?', 'Do otters sleep?']) await failing.answer(ask(text));
    expect(failing.provider.chats).toHaveLength(2);
    const { provider, answer } = similar();
    const long = `${'otters and more otters '.repeat(40)}`;
    for (const text of [`${long} sleep?`, `${long} do sleep?`]) await answer(ask(text));
    expect([provider.chats, provider.embeds].map(({ length }) => length)).toEqual([2, 0]);
  });
});

describe('SimilarReplies', () => {
  const question = (text: string, ...vector: number[]) => ({ text, vector: Float32Array.from(vector) });

  test('gives the reply of the nearest question, and none below the threshold or of another length', () => {
    const replies = new SimilarReplies(1_000_000);
    replies.add('room', question('a', 1, 0), 'far', 60_000);
    replies.add('room', question('b', 1, 0.3), 'near', 60_000);
    expect(replies.find('room', question('c', 1, 0.25), 0.9)).toBe('near');
    expect(replies.find('room', question('c', 0, 1), 0.9)).toBeNull();
    expect(replies.find('room', question('c', 1, 0.25, 0), 0.1)).toBeNull();
    expect(replies.find('elsewhere', question('c', 1, 0.25), 0.1)).toBeNull();
  });

  test('never holds more than its bytes, nor more than 200 replies that are compared', () => {
    const replies = new SimilarReplies(100_000);
    const angle = (index: number) => question('x', Math.cos(index / 200), Math.sin(index / 200));
    for (let index = 0; index < 300; index += 1) replies.add('room', angle(index), `reply ${index}`, 60_000);
    expect(replies.find('room', angle(99), 0.99999)).toBeNull();
    expect(replies.find('room', angle(100), 0.99999)).toBe('reply 100');
    for (let room = 0; room < 100; room += 1) replies.add(`${room}`, angle(1), 'x'.repeat(5_000), 60_000);
    const kept = Array.from({ length: 100 }, (_, room) => replies.find(`${room}`, angle(1), 0.9)).filter(Boolean);
    expect(kept.length).toBeGreaterThan(2);
    expect(kept.length * 10_000).toBeLessThan(100_000);
  });
});

test.each([
  ['Is port 80 open?', 'Is 80 the open port?', true],
  ['Is port 80 open?', 'Is port 443 open?', false],
  ['Can I?', 'Can’t I?', false],
  ['What does not float?', "What doesn't float?", true],
  ['Do you ship to Norway?', 'Can it be sent to Norway?', true],
  ['Do you ship to Norway?', 'Do you ship to Sweden?', false],
  ['Norway? Do you ship there?', 'Do you ship there?', true],
  ['How do I enable the alarm?', 'How do I turn on the alarm?', true],
  ['How do I enable the alarm?', 'How do I disable the alarm?', false],
  ['What is before and after?', 'What is after and before?', true],
])('whether "%s" and "%s" may have one answer: %s', (one, other, may) => {
  expect(mayHaveOneAnswer(one, other)).toBe(may);
  expect(mayHaveOneAnswer(other, one)).toBe(may);
});
