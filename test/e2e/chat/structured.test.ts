import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countTokens } from '../../../core/text/tokens.ts';
import { ingest, startGatewayWithVendor, type TestGateway } from '../../helpers/gateway.ts';
import { processorWait } from '../../helpers/processor-wait.ts';
import type { Vendor } from '../../helpers/vendor/vendor.ts';
import { bodyOf, chat, refusal, spoken } from './turn.ts';

const opened = new AsyncDisposableStack();
let gateway: TestGateway;
let vendor: Vendor;

beforeAll(async () => {
  ({ gateway, vendor } = opened.use(await startGatewayWithVendor()));
  await ingest(gateway, [
    { externalId: 'otters', title: 'Otters', text: 'Otters swim in rivers. They eat fish and crabs.' },
    { externalId: 'beavers', title: 'Beavers', text: 'Beavers swim in rivers. They build dams.' },
  ]);
});
afterAll(() => opened.disposeAsync());

const person = {
  type: 'object',
  properties: { name: { type: 'string' }, age: { type: 'integer', minimum: 0 } },
  required: ['name', 'age'],
  additionalProperties: false,
};
const chatCalls = () => vendor.calls('/chat/completions');

describe('a reply with a schema', () => {
  it('is parsed into its object', async () => {
    vendor.next({ reply: '{"name": "Ada", "age": 36}' });
    const turn = await chat(gateway, { message: 'Who?', responseSchema: person });
    expect(turn).toMatchObject({ status: 'SUCCEEDED', text: '{"name": "Ada", "age": 36}' });
    expect(turn.reply).toMatchObject({ text: turn.text, object: { name: 'Ada', age: 36 }, finishReason: 'STOP' });
    expect(bodyOf(chatCalls().at(-1)).response_format?.json_schema.schema).toEqual(person);
    expect(turn.usage.calls).toBe(1);
  });

  it('may stand in a code fence', async () => {
    vendor.next({ reply: '```json\n{"name": "Ada", "age": 36}\n```\n' });
    const turn = await chat(gateway, { message: 'Who?', responseSchema: person });
    expect(turn.reply?.object).toEqual({ name: 'Ada', age: 36 });
  });

  it('is repaired once: the log shows the reset, and both calls are counted', async () => {
    vendor.next({ reply: '{"name": "Ada", "age": "36", "x": 1}' }, { reply: '{"name": "Ada", "age": 36}' });
    const turn = await chat(gateway, { message: 'Who?', responseSchema: person, store: false });
    expect(turn).toMatchObject({ status: 'SUCCEEDED', text: '{"name": "Ada", "age": 36}' });
    expect(turn.reply).toMatchObject({ text: turn.text, object: { name: 'Ada', age: 36 } });
    const told = turn.events.filter(({ __typename }) => !/Delta/.test(__typename)).map(({ __typename }) => __typename);
    expect(told).toEqual(['RunStarted', 'TextMessageStarted', 'TextMessageReset', 'TextMessageEnded', 'RunFinished']);
    expect(turn.events.find(({ reason }) => reason !== undefined)?.reason).toMatch(/\/age must be integer/);
    const repair = spoken(chatCalls().at(-1));
    expect(repair.slice(0, 2)).toEqual(['user: Who?', 'assistant: {"name": "Ada", "age": "36", "x": 1}']);
    // All faults at once, with what the model needs to mend them.
    expect(repair[2]).toMatch(
      /\/age must be integer.*additionalProperty":"x"|additionalProperty":"x".*\/age must be integer/,
    );
    expect(turn.usage.calls).toBe(2);
    const written = ['{"name": "Ada", "age": "36", "x": 1}', '{"name": "Ada", "age": 36}'];
    expect(turn.usage.outputTokens).toBe(written.reduce((sum, text) => sum + countTokens(text), 0));
  });

  it('that is invalid twice fails the run, and says why', async () => {
    vendor.next({ reply: 'Ada, 36.' }, { reply: '{"name": "Ada"}' });
    const turn = await chat(gateway, { message: 'Who?', responseSchema: person });
    expect(turn).toMatchObject({
      status: 'FAILED',
      error: {
        code: 'UPSTREAM_UNAVAILABLE',
        retryable: true,
        message: expect.stringMatching(/responseSchema, twice.*'age'/),
        details: { attempts: 2, issues: [expect.stringMatching(/'age'/)] },
      },
      reply: { text: '{"name": "Ada"}', object: null, finishReason: 'ERROR' },
    });
    expect(turn.eventNames.at(-1)).toBe('RunFailed');
    expect(turn.usage.calls).toBe(2);
  });

  it('that is nested without end is refused as a reply, not by the stack', async () => {
    const deep = `${'['.repeat(5_000)}${']'.repeat(5_000)}`;
    vendor.next({ reply: deep }, { reply: '[]' });
    const turn = await chat(gateway, { message: 'Who?', responseSchema: { type: 'array' } });
    expect(turn).toMatchObject({ status: 'SUCCEEDED', reply: { object: [] } });
  });

  it('has no citations: what looks like marks is data', async () => {
    const reply = '{"ids": [1, 2], "say": "Rivers [2].", "list": [[2], [9]]}';
    vendor.next({ reply });
    const input = { message: 'What swims in rivers?', responseSchema: { type: 'object' }, retrieval: { first: 2 } };
    const turn = await chat(gateway, input);
    expect(turn).toMatchObject({
      text: reply,
      cited: [],
      reply: { text: reply, citations: [], object: JSON.parse(reply) },
    });
    const rules = spoken(chatCalls().at(-1))[0];
    expect(rules).toContain('Use only the numbered sources.');
    expect(rules).not.toContain('in brackets');
    // And it stays as it is in the history of the next turn.
    await chat(gateway, { conversationId: turn.conversation?.id, message: 'More?', retrieval: { first: 2 } });
    expect(spoken(chatCalls().at(-1))[2]).toBe(`assistant: ${reply}`);
  });

  it('can be verified', async () => {
    vendor.next({ reply: '{"swims": true}' }, { reply: '{"grounded": true, "score": 1, "unsupported": []}' });
    const turn = await chat(gateway, {
      message: 'Do otters swim?',
      responseSchema: { type: 'object', required: ['swims'] },
      retrieval: {},
      verify: true,
    });
    expect(turn.reply).toMatchObject({ object: { swims: true }, verification: { grounded: true } });
  });
});

describe('a responseSchema', () => {
  it.each([
    ['is none', { type: 12 }, /JSON Schema.*type/],
    ['has an invalid pattern', { type: 'string', pattern: '(' }, /JSON Schema.*regular expression/i],
    ['refers to another document', { $ref: 'https://example.org/schema.json' }, /example\.org.*not fetched/],
    ['refers to nowhere', { $ref: '#/$defs/nothing' }, /nothing/],
    ['is asynchronous', { $async: true, type: 'object' }, /async/],
    ['is too large', { description: 'x'.repeat(50_001) }, /50000 characters.*500\d\d/],
    ['holds a NUL', { const: '\u0000' }, /responseSchema\.const.*NUL/],
    ['is a list', [], /responseSchema.*object/],
  ])('that %s is refused before any call', async (_name, responseSchema, message) => {
    const before = vendor.calls().length;
    expect(await refusal(gateway, { message: 'x', responseSchema })).toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringMatching(message),
    });
    expect(vendor.calls()).toHaveLength(before);
  });

  it.each(['https://json-schema.org/draft/2020-12/schema', 'http://json-schema.org/draft-07/schema#'])(
    'may name the dialect %s',
    async ($schema) => {
      vendor.next({ reply: '1' });
      const turn = await chat(gateway, { message: 'x', responseSchema: { $schema, type: 'integer' } });
      expect(turn.reply?.object).toBe(1);
    },
  );

  it('whose pattern backtracks without end fails its own run, while the gateway answers others', async () => {
    vendor.next({ reply: `"${'a'.repeat(40)}!"` });
    let ended = false;
    const turn = chat(gateway, { message: 'x', responseSchema: { type: 'string', pattern: '^(a+)+$' } }).finally(() => {
      ended = true;
    });
    let slowestMs = 0;
    while (!ended) {
      const [startedAt, waitedMs] = [performance.now(), processorWait()];
      await gateway.data('query ChatStructuredHealth { health { ok } }');
      slowestMs = Math.max(slowestMs, performance.now() - startedAt - waitedMs());
    }
    expect(slowestMs).toBeLessThan(1_000);
    expect(await turn).toMatchObject({
      status: 'FAILED',
      error: { code: 'BAD_INPUT', message: expect.stringMatching(/responseSchema.*2000 ms.*\(a\+\)\+/) },
      reply: { text: `"${'a'.repeat(40)}!"` },
    });
    // The thread was replaced: the next schema is none the worse for it.
    vendor.next({ reply: '"b"' });
    const next = await chat(gateway, { message: 'x', responseSchema: { type: 'string' } });
    expect(next.reply?.object).toBe('b');
  });
});
