import { afterAll, describe, expect, it } from 'vitest';
import { createResponseSchemas } from '../../../core/chat/response-schemas.ts';
import { GatewayError } from '../../../core/contracts/gateway-error.ts';
import type { Tool, ToolResult } from '../../../core/contracts/tool.ts';
import { createToolbox, type ToolboxOptions } from '../../../core/tools/toolbox.ts';
import { processorWait } from '../../helpers/processor-wait.ts';
import { aTool, heardLogger, providerOf, toolIo } from './rig.ts';

const schemas = createResponseSchemas({ timeLimitMs: 1_000 });
afterAll(() => schemas.close());

const never = new AbortController().signal;

function toolboxOf(tools: readonly Tool[], options: Partial<ToolboxOptions> = {}) {
  const logger = heardLogger();
  const toolbox = createToolbox({
    providers: [providerOf(...tools)],
    ...{ schemas, logger, settings: {}, maxResultChars: 1_000 },
    ...options,
  });
  return { toolbox, logger };
}

describe('the tools that there are', () => {
  it('come from every provider as they are now, by name, and what has no usable name of its own is left out and reported once', () => {
    const server: Tool[] = [aTool({ name: 'weather' })];
    const { toolbox, logger } = toolboxOf([], {
      providers: [providerOf(aTool({ name: 'search', description: 'ours' })), { tools: () => server }],
    });
    server.push(aTool({ name: 'search', description: 'theirs' }), aTool({ name: 'no name' }));
    expect(toolbox.list().map(({ name, description }) => [name, description])).toEqual([
      ['search', 'ours'],
      ['weather', 'A tool of a test.'],
    ]);
    server.splice(0);
    expect(toolbox.list().map(({ name }) => name)).toEqual(['search']);
    expect(logger.lines.map(({ fields }) => fields)).toEqual([{ tool: 'search' }, { tool: 'no name' }]);
  });

  it('are found by name, each once, and a name that there is not is refused with those there are', () => {
    const { toolbox } = toolboxOf([aTool({ name: 'search' }), aTool({ name: 'calculate' })]);
    expect(toolbox.named(['search', 'calculate', 'search']).map(({ name }) => name)).toEqual(['search', 'calculate']);
    expect(() => toolbox.named(['search', 'format_disk'])).toThrow(
      'tools must be names of tools that there are, got "format_disk"; there are calculate, search.',
    );
  });

  it('have the approval and the time-out that the operator decided', async () => {
    const { toolbox } = toolboxOf([aTool({ name: 'send', call: () => new Promise(() => {}) })], {
      settings: { send: { requiresApproval: true, timeoutMs: 20 } },
    });
    expect(toolbox.list()).toMatchObject([{ name: 'send', requiresApproval: true, timeoutMs: 20 }]);
    expect(await toolbox.call('send', {}, toolIo())).toMatchObject({
      status: 'FAILED',
      value: { error: 'send gave no result within 20 ms.' },
    });
  });
});

describe('the arguments of a call', () => {
  const parameters = {
    type: 'object',
    properties: { query: { type: 'string', minLength: 1 }, first: { type: 'integer', minimum: 1, maximum: 20 } },
    required: ['query'],
    additionalProperties: false,
  };
  const { toolbox } = toolboxOf([]);
  const read = (written: string, schema: Tool['parameters'] = parameters) =>
    toolbox.readArguments({ name: 'search', parameters: schema }, written, never);

  it('are given over when they satisfy the schema; nothing written is no arguments', async () => {
    expect(await read('{"query": "otters", "first": 3}')).toEqual({ ok: true, value: { query: 'otters', first: 3 } });
    expect(await read(' ', { type: 'object' })).toEqual({ ok: true, value: {} });
  });

  it.each([
    ['of another type', '{"query": 7}', '/query must be string, got 7'],
    ['out of bounds', '{"query": "a", "first": 900}', '/first must be <= 20, got 900'],
    ['left out', '{"first": 1}', "/ must have required property 'query'"],
    ['not asked for', '{"query": "a", "drop": true}', '{"additionalProperty":"drop"}'],
    ['cut off', '{"query": "a', 'not JSON'],
    ['no object', '["a"]', '/ must be object, got a list of 1'],
    ['not to be stored', '{"query": "a\\u0000b"}', 'a NUL character at position 1'],
    ['half a character', '{"query": "a\\ud800"}', 'a lone surrogate'],
    ['endless', JSON.stringify({ query: 'x'.repeat(100_001) }), 'at most 100000 characters, got 100013'],
  ])('are a fault for the model when %s: path, value and what was expected', async (_what, written, expected) => {
    const reading = await read(written);
    expect(reading).toEqual({ ok: false, fault: expect.stringContaining(expected) });
    expect(reading).toMatchObject({ fault: expect.stringContaining('The arguments of search are not valid') });
  });

  it('are a fault when the schema itself is none, or takes for ever', async () => {
    expect(await read('{}', { type: 'nonsense' })).toMatchObject({
      fault: expect.stringContaining('the parameters of search must be a JSON Schema'),
    });
    const slow = { type: 'object', properties: { a: { type: 'string', pattern: '^(a+)+$' } } };
    expect(await read(JSON.stringify({ a: `${'a'.repeat(40)}!` }), slow)).toMatchObject({
      fault: expect.stringContaining('the parameters of search needs more than 1000 ms'),
    });
  });
});

describe('a call', () => {
  const callOf = async (call: Tool['call'], parts: Partial<Tool> = {}, io = toolIo()) => {
    const { toolbox, logger } = toolboxOf([aTool({ name: 'fetch', timeoutMs: 50, call, ...parts })]);
    return { outcome: await toolbox.call('fetch', { a: 1 }, io), logger };
  };
  const returns =
    (value: unknown): Tool['call'] =>
    async () =>
      ({ value }) as ToolResult; // what a foreign tool hands over
  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;

  it('gets its arguments and returns its value with its sources', async () => {
    const source = { passageId: 'p1', title: null, url: null, text: 'Otters swim.' };
    const { outcome } = await callOf(async (args, { idempotencyKey }) => ({
      value: { args, idempotencyKey },
      sources: [source],
    }));
    expect(outcome).toEqual({
      status: 'SUCCEEDED',
      value: { args: { a: 1 }, idempotencyKey: 'call-1' },
      sources: [source],
    });
  });

  it.each<[string, Tool['call'], string]>([
    [
      'throws at once',
      () => {
        throw new Error('postgres://user:secret@host');
      },
      'fetch failed.',
    ],
    ['rejects', () => Promise.reject(new Error('secret')), 'fetch failed.'],
    ['says why', () => Promise.reject(new GatewayError('NOT_FOUND', 'There is no page.')), 'There is no page.'],
    ['hangs', () => new Promise(() => {}), 'fetch gave no result within 50 ms.'],
    ['returns 50 MB', returns('x'.repeat(50_000_000)), 'The result of fetch is longer than 1000 characters of JSON'],
    ['returns a list without end', returns(new Array(1e9)), 'is longer than 1000 characters'],
    ['returns itself', returns(cycle), 'is nested more than 50 levels deep'],
    ['returns a number that is none', returns({ a: Number.NaN }), 'holds NaN, which is no JSON'],
    ['returns a function', returns({ a: () => 1 }), 'holds a value of type function'],
    [
      'returns what cannot be read',
      returns({
        get a() {
          throw new Error('secret');
        },
      }),
      'cannot be read',
    ],
    [
      'has too many sources',
      async () => ({ value: 1, sources: [{ passageId: 'p', title: null, url: null, text: 'x'.repeat(2_000) }] }),
      'the list of its sources is longer than 1000 characters',
    ],
  ])('that %s is a failed call that says so, and no secret', async (_what, call, expected) => {
    const [startedAt, waitedMs] = [performance.now(), processorWait()];
    const { outcome } = await callOf(call);
    expect(outcome).toEqual({ status: 'FAILED', value: { error: expect.stringContaining(expected) }, sources: [] });
    expect(JSON.stringify(outcome)).not.toContain('secret');
    expect(performance.now() - startedAt - waitedMs()).toBeLessThan(1_000);
  });

  it('that returns nothing has the value null; what cannot be stored is replaced', async () => {
    expect((await callOf(async () => undefined as unknown as ToolResult)).outcome.value).toBeNull();
    expect((await callOf(returns({ a: 'x\u0000\ud800', b: undefined }))).outcome.value).toEqual({ a: 'x\uFFFD\uFFFD' });
    const { outcome } = await callOf(returns(JSON.parse('{"__proto__": {"a": 1}}')));
    expect(JSON.stringify(outcome.value)).toBe('{"__proto__":{"a":1}}');
  });

  it('that returns what its schema forbids is a failed call with the fault', async () => {
    const resultSchema = { type: 'object', properties: { total: { type: 'number' } } };
    expect((await callOf(returns({ total: 3 }), { resultSchema })).outcome.status).toBe('SUCCEEDED');
    expect((await callOf(returns({ total: 'three' }), { resultSchema })).outcome.value).toEqual({
      error: 'fetch returned what its schema forbids: /total must be number, got "three".',
    });
  });

  it('is told its end by its signal, and logs what it failed with', async () => {
    let told: unknown;
    await callOf((_args, { signal }) => {
      signal.addEventListener('abort', () => {
        told = signal.aborted;
      });
      return new Promise(() => {});
    });
    expect(told).toBe(true);
    const { logger } = await callOf(() => Promise.reject(new Error('down')));
    expect(logger.lines).toMatchObject([{ message: 'a tool failed', fields: { tool: 'fetch' } }]);
  });

  it('rejects with the reason of its run and with nothing else', async () => {
    const controller = new AbortController();
    const ended = new GatewayError('CANCELLED', 'the run was cancelled');
    const calling = callOf(() => new Promise(() => {}), { timeoutMs: 60_000 }, toolIo({ signal: controller.signal }));
    controller.abort(ended);
    await expect(calling).rejects.toBe(ended);
  });

  it('of a tool that has gone is a failed call', async () => {
    const { toolbox } = toolboxOf([]);
    expect(await toolbox.call('gone', {}, toolIo())).toMatchObject({ value: { error: 'gone is not there any more.' } });
  });
});
