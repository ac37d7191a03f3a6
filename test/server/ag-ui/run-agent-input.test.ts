import { describe, expect, test } from 'vitest';
import { GatewayError } from '../../../core/contracts/gateway-error.ts';
import { parseRunAgentInput } from '../../../server/ag-ui/run-agent-input.ts';
import { cpuStopwatch } from '../../helpers/cpu-stopwatch.ts';

const parse = (input: object) =>
  parseRunAgentInput(Buffer.from(JSON.stringify({ threadId: 't', runId: 'r', messages: [], ...input })));

function faultOf(input: object): GatewayError {
  try {
    parse(input);
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  return expect.unreachable('it was taken');
}

const many = <T>(count: number, item: T): T[] => Array.from({ length: count }, () => item);

describe('a body whose every item is wrong', () => {
  const filter = (inner: object): object => ({ forwardedProps: { retrieval: { filter: inner } } });
  const hostile: Readonly<Record<string, object>> = {
    messages: { messages: many(40_000, {}) },
    'parts of a message': { messages: [{ id: '1', role: 'user', content: many(40_000, {}) }] },
    'parts of a result': { messages: [{ id: '1', role: 'tool', toolCallId: 'c', content: many(40_000, 1) }] },
    'tool calls': { messages: [{ id: '1', role: 'assistant', toolCalls: many(40_000, {}) }] },
    tools: { tools: many(40_000, {}) },
    context: { context: many(40_000, {}) },
    resume: { resume: many(40_000, {}) },
    'stop texts': { forwardedProps: { stop: many(40_000, 1) } },
    'names of tools': { forwardedProps: { tools: many(40_000, 1) } },
    'all of a filter': filter({ all: many(40_000, 1) }),
    'any of a filter': filter({ any: many(30_000, { x: 1 }) }),
  };
  test.each(Object.entries(hostile))('is told the first of its faults: %s', (_name, input) => {
    const spentMs = cpuStopwatch();
    const { code, message, details } = faultOf(input);
    // A fault for each took between one and six seconds.
    expect(spentMs()).toBeLessThan(300);
    expect(code).toBe('BAD_INPUT');
    expect(message.length).toBeLessThan(5_000);
    expect((details['issues'] as string[]).length).toBeLessThanOrEqual(10);
  });

  test('names the place of each', () => {
    const { message } = faultOf({
      messages: [{ id: '1', role: 'user', content: 'x' }, {}, { id: 2, role: 'user', content: 'y' }],
    });
    expect(message).toMatch(/messages\[1\]\.role/);
    expect(message).toMatch(/messages\[2\]\.id/);
  });
});

test('more values than any conversation has are refused before they are looked at', () => {
  const { message } = faultOf({ messages: many(60_000, { id: '', role: 'user', content: '' }) });
  expect(message).toMatch(/The body must hold at most 100000 values, got more/);
});

test('a name that is not known is shown, and not a hundred thousand of them', () => {
  const names = Object.fromEntries(many(40_000, 'field').map((name, index) => [`${name}-${index}`, 1]));
  for (const forwardedProps of [names, { retrieval: names }, { limits: names }]) {
    const { message } = faultOf({ forwardedProps });
    expect(message).toContain('field-0');
    expect(message.length).toBeLessThan(2_000);
  }
});

test('an ordinary body is read as it is', () => {
  const call = { id: 'c', type: 'function', function: { name: 'locate', arguments: '{}' } };
  const input = {
    messages: [
      { id: '1', role: 'user', content: [{ type: 'text', text: 'Where?' }] },
      { id: '2', role: 'assistant', toolCalls: [call] },
      { id: '3', role: 'tool', toolCallId: 'c', content: 'Oslo', more: [1] },
    ],
    tools: [{ name: 'locate', description: 'Where.', parameters: { type: 'object' } }],
    context: [{ description: 'a', value: 'b' }],
    resume: [{ interruptId: 'i', status: 'resolved', payload: [1] }],
    forwardedProps: { stop: ['x'], retrieval: { filter: { all: [{ field: 'year', equals: 1 }], any: null } } },
  };
  expect(parse(input)).toMatchObject(input);
});
