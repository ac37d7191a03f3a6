import { getEventListeners } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GatewayError } from '../../core/contracts/gateway-error.ts';
import type {
  ChatChunk,
  ChatMessage,
  ChatRequest,
  ModelProvider,
  ToolDefinition,
} from '../../core/contracts/model-provider.ts';

/** A provider that is ready to be called. A reply must take more than one chunk, so that there is a middle to abort in. */
export interface ModelProviderSetup {
  readonly provider: ModelProvider;
  readonly chatModel: string;
  readonly embeddingModel: string;
  close(): Promise<void>;
}

const lookUp: ToolDefinition = {
  name: 'look_up',
  description: 'The weight of an animal.',
  parameters: { type: 'object', properties: { animal: { type: 'string' } }, required: ['animal'] },
};

/** Loading a model takes its time on a busy machine. */
const SETUP_MS = 60_000;

/** What every model provider must do, whether it writes or only quotes. What one alone does is tested beside its adapter. */
export function describeModelProvider(name: string, setup: () => Promise<ModelProviderSetup>): void {
  describe(`${name}: the contract of a model provider`, () => {
    let subject: ModelProviderSetup;
    beforeAll(async () => {
      subject = await setup();
    }, SETUP_MS);
    afterAll(() => subject.close());

    const ask = (animal: string, more: Partial<ChatRequest> = {}) => ({
      ...question(subject.chatModel, animal),
      ...more,
    });
    const embed = (texts: readonly string[], signal = never()) =>
      subject.provider.embed({ model: subject.embeddingModel, texts }, signal);

    test('streams text, then exactly one finish, then nothing but usage', async () => {
      const chunks = await all(subject.provider.chat(ask('otter'), never()));
      const types = chunks.map((chunk) => chunk.type).filter((type) => type !== 'reasoning');
      expect(types.filter((type) => type === 'finish')).toHaveLength(1);
      const finish = types.indexOf('finish');
      expect(finish).toBeGreaterThan(0);
      expect(new Set(types.slice(0, finish))).toEqual(new Set(['text']));
      expect([[], ['usage']]).toContainEqual(types.slice(finish + 1));
    });

    test('answers from the passages, with the number of the one it used', async () => {
      const text = textOf(await all(subject.provider.chat(ask('otter'), never())));
      expect(text).toContain('The otter weighs 40 grams');
      expect(text).toContain('[1]');
    });

    test('gives in one reply the same text and the same reason as in a stream', async () => {
      const request = ask('badger', { temperature: 0 });
      const chunks = await all(subject.provider.chat(request, never()));
      const completion = await subject.provider.complete(request, never());
      expect(completion.text).toBe(textOf(chunks));
      expect(chunks).toContainEqual({ type: 'finish', reason: completion.finishReason });
      expect(completion.finishReason).toBe('STOP');
      if (completion.tokens !== null) expect(completion.tokens.inputTokens).toBeGreaterThan(0);
    });

    test('keeps every character whole, in a stream and in one reply', async () => {
      const animal = 'Bär🐻熊👩‍👩‍👧é';
      const { text } = await subject.provider.complete(ask(animal), never());
      expect(text).toContain(animal);
      const streamed = textOf(await all(subject.provider.chat(ask(animal), never())));
      expect(streamed).toBe(text);
      expect(streamed).not.toContain('\uFFFD');
    });

    test('stops at the limit of output tokens and says LENGTH', async () => {
      const whole = await subject.provider.complete(ask('otter'), never());
      const short = await subject.provider.complete(ask('otter', { maxOutputTokens: 4 }), never());
      expect(short.finishReason).toBe('LENGTH');
      expect(whole.text.startsWith(short.text)).toBe(true);
      expect(short.text.length).toBeLessThan(whole.text.length);
      const chunks = await all(subject.provider.chat(ask('otter', { maxOutputTokens: 4 }), never()));
      expect(chunks).toContainEqual({ type: 'finish', reason: 'LENGTH' });
    });

    test('ends before a stop sequence', async () => {
      const { text, finishReason } = await subject.provider.complete(ask('otter', { stop: [' grams'] }), never());
      expect(text).toContain('weighs 40');
      expect(text).not.toContain('grams');
      expect(finishReason).toBe('STOP');
    });

    test('asks for a tool that it is told to use, or cannot use tools and answers', async () => {
      const request = ask('otter', { tools: [lookUp], toolChoice: { tool: lookUp.name } });
      const chunks = await all(subject.provider.chat(request, never()));
      const { toolCalls = [], text, finishReason } = await subject.provider.complete(request, never());
      const calls = chunks.filter((chunk) => chunk.type === 'tool-call');
      expect(chunks).toContainEqual({ type: 'finish', reason: finishReason });
      if (!subject.provider.generative) {
        expect({ calls, toolCalls, finishReason }).toEqual({ calls: [], toolCalls: [], finishReason: 'STOP' });
        expect(text).toContain('The otter weighs 40 grams');
        return;
      }
      expect(finishReason).toBe('TOOL_CALLS');
      expect(calls).toMatchObject([{ tool: lookUp.name }]);
      expect(toolCalls).toMatchObject([{ tool: lookUp.name }]);
      const written = chunks.map((chunk) => (chunk.type === 'tool-arguments' ? chunk.delta : '')).join('');
      for (const args of [written, toolCalls[0]?.arguments ?? '']) {
        expect(JSON.parse(args)).toEqual({ animal: expect.any(String) });
      }
    });

    test('goes on after the results of its calls', async () => {
      const call = { id: 'call_1', tool: lookUp.name, arguments: '{"animal":"otter"}' };
      const messages: ChatMessage[] = [
        ...ask('otter').messages,
        { role: 'ASSISTANT', text: '', toolCalls: [call] },
        { role: 'TOOL', text: '40 grams', toolCallId: call.id },
      ];
      const reply = await subject.provider.complete(ask('otter', { messages, tools: [lookUp] }), never());
      expect(reply.finishReason).toBe('STOP');
      expect(reply.text).not.toBe('');
    });

    test('does not begin anything for a signal that is already aborted', async () => {
      const { provider } = subject;
      const gone = AbortSignal.abort();
      const calls = [
        all(provider.chat(ask('otter'), gone)),
        provider.complete(ask('otter'), gone),
        embed(['an otter'], gone),
        provider.models(gone),
      ];
      for (const result of await Promise.allSettled(calls)) expectCancelled(result);
    });

    test('gives up waiting for the first chunk, the reply or the vectors when it is aborted', async () => {
      const { provider } = subject;
      const abort = new AbortController();
      const calls = [
        all(provider.chat(ask('otter'), abort.signal)),
        provider.complete(ask('otter'), abort.signal),
        embed(['an otter', 'a badger'], abort.signal),
      ];
      abort.abort();
      for (const result of await Promise.allSettled(calls)) expectCancelled(result);
    });

    test('sends no further chunk once it is aborted in the middle', async () => {
      const abort = new AbortController();
      const chunks = subject.provider.chat(ask('otter'), abort.signal)[Symbol.asyncIterator]();
      expect(await chunks.next()).toMatchObject({ done: false, value: { type: 'text' } });
      abort.abort();
      const [result] = await Promise.allSettled([chunks.next()]);
      expectCancelled(result);
      expect(await chunks.next()).toEqual({ done: true, value: undefined });
    });

    test('can be left in the middle of a stream, and called again', async () => {
      const { provider } = subject;
      const abort = new AbortController();
      for await (const chunk of provider.chat(ask('otter'), abort.signal)) {
        expect(chunk.type).toBe('text');
        break;
      }
      expect(textOf(await all(provider.chat(ask('badger'), abort.signal)))).toContain('badger');
    });

    test('leaves no listener on a signal that outlives the call', async () => {
      const { provider } = subject;
      const { signal } = new AbortController();
      await all(provider.chat(ask('otter'), signal));
      for await (const _ of provider.chat(ask('otter'), signal)) break;
      await provider.complete(ask('otter'), signal);
      await embed(['an otter'], signal);
      expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    });

    test('does not mix calls that run at the same time', async () => {
      const { provider } = subject;
      const animals = ['otter', 'badger', 'heron', 'walrus', 'gecko', 'lemur', 'tapir', 'bison'];
      const replies = await Promise.all(
        animals.flatMap((animal) => [
          all(provider.chat(ask(animal), never())).then(textOf),
          provider.complete(ask(animal), never()).then(({ text }) => text),
        ]),
      );
      for (const [index, text] of replies.entries()) {
        const asked = animals[Math.floor(index / 2)];
        expect(animals.filter((animal) => text.includes(animal))).toEqual([asked]);
      }
    });

    test('gives one vector of one length per text, in order', async () => {
      const texts = ['an otter swims', 'a quarterly report', 'two otters swim', 'an otter swims'];
      const { vectors } = await embed(texts);
      expect(vectors).toHaveLength(texts.length);
      const lengths = new Set(vectors.map((vector) => vector.length));
      expect(lengths.size).toBe(1);
      for (const vector of vectors) expect(vector.every(Number.isFinite)).toBe(true);
      for (const [index, text] of texts.entries()) {
        const alone = (await embed([text])).vectors[0];
        expect(cosine(vectors[index], alone), text).toBeGreaterThan(0.999);
      }
      expect(cosine(vectors[0], vectors[2])).toBeGreaterThan(cosine(vectors[0], vectors[1]));
    });

    test('counts the tokens of a text, more for more text, or says that it does not count', async () => {
      const one = await embed(['an otter swims']);
      const two = await embed(['an otter swims', 'and a badger digs']);
      if (one.tokens === null) {
        expect(two.tokens).toBeNull();
      } else {
        expect(Number.isInteger(one.tokens) && one.tokens > 0).toBe(true);
        expect(two.tokens).toBeGreaterThan(one.tokens);
      }
    });

    test('takes as many texts as its limits say', async () => {
      const { maxTexts, maxTokens } = subject.provider.embeddingLimits;
      expect(maxTokens).toBeGreaterThan(0);
      const texts = Array.from({ length: Math.min(maxTexts, 64) }, (_, index) => `otter number ${index}`);
      expect((await embed(texts)).vectors).toHaveLength(texts.length);
    });

    test('lists the models that it was called with, and what they can do', async () => {
      const models = await subject.provider.models(never());
      const capabilities = (name: string) => models.find((model) => model.name === name)?.capabilities;
      expect(capabilities(subject.chatModel)).toContain('CHAT');
      expect(capabilities(subject.embeddingModel)).toContain('EMBEDDING');
    });

    test('refuses an attachment that it cannot read as bad input, before anything is spent', async () => {
      const attachments = [{ mimeType: 'application/x-unreadable', base64: 'AAAA' }];
      const request = ask('otter', { messages: [{ role: 'USER', text: 'What is this?', attachments }] });
      const results = await Promise.allSettled([
        all(subject.provider.chat(request, never())),
        subject.provider.complete(request, never()),
      ]);
      for (const result of results) {
        const error = result.status === 'rejected' ? result.reason : null;
        expect(error).toBeInstanceOf(GatewayError);
        expect(error).toMatchObject({ code: 'BAD_INPUT', retryable: false });
      }
    });
  });
}

/** With the source both rendered, for providers that read the prompt, and as it is, for those that quote. */
function question(model: string, animal: string): ChatRequest {
  const text = `The ${animal} weighs 40 grams and sleeps in the upper drawer of the laboratory during the whole winter.`;
  return {
    model,
    messages: [
      { role: 'SYSTEM', text: `Answer from these passages and cite them as [n].\n\n[1] Of animals\n${text}` },
      { role: 'USER', text: `How many grams does the ${animal} weigh?` },
    ],
    sources: [{ number: 1, title: 'Of animals', text }],
  };
}

async function all(stream: AsyncIterable<ChatChunk>): Promise<ChatChunk[]> {
  const chunks: ChatChunk[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

function textOf(chunks: readonly ChatChunk[]): string {
  return chunks.map((chunk) => (chunk.type === 'text' ? chunk.delta : '')).join('');
}

function expectCancelled(result: PromiseSettledResult<unknown> | undefined): void {
  expect(result).toMatchObject({ status: 'rejected', reason: { code: 'CANCELLED', retryable: false } });
  if (result?.status === 'rejected') expect(result.reason).toBeInstanceOf(GatewayError);
}

function never(): AbortSignal {
  return new AbortController().signal;
}

function cosine(left: Float32Array | undefined, right: Float32Array | undefined): number {
  if (left === undefined || right === undefined) throw new Error('expected two vectors');
  const dot = left.reduce((sum, value, index) => sum + value * (right[index] ?? 0), 0);
  return dot / (Math.hypot(...left) * Math.hypot(...right));
}
