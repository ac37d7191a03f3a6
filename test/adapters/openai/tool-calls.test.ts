import { describe, expect, test } from 'vitest';
import type { ChatChunk, ToolCallRequest, ToolDefinition } from '../../../core/contracts/model-provider.ts';
import { all, never, outcome, request, start, textOf } from './setup.ts';

const weather: ToolDefinition = {
  name: 'weather',
  description: 'The weather of a city.',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};
const asked = (city: string, id: string): ToolCallRequest => ({
  id,
  tool: 'weather',
  arguments: JSON.stringify({ city }),
});
const toolCalls = ['Paris, the capital of France', 'Oslo'].map((city, index) => ({
  ...{ id: `call_${index}`, name: 'weather' },
  arguments: { city },
}));

/** What a stream's pieces come to, in the order that the calls began. */
function callsOf(chunks: readonly ChatChunk[]): readonly ToolCallRequest[] {
  const calls = new Map<string, ToolCallRequest>();
  for (const chunk of chunks) {
    if (chunk.type === 'tool-call') calls.set(chunk.id, { id: chunk.id, tool: chunk.tool, arguments: '' });
    const call = chunk.type === 'tool-arguments' ? calls.get(chunk.id) : undefined;
    if (chunk.type === 'tool-arguments' && call !== undefined) {
      calls.set(chunk.id, { ...call, arguments: call.arguments + chunk.delta });
    }
  }
  return [...calls.values()];
}

/** A vendor's stream, event by event. */
const events = (...deltas: readonly object[]) => ({
  contentType: 'text/event-stream',
  rawBody: [
    ...deltas.map((delta) => ({ choices: [{ index: 0, delta }] })),
    { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
  ]
    .map((event) => `data: ${JSON.stringify(event)}\n\n`)
    .join(''),
});

describe('what goes out', () => {
  test.each([
    ['auto', 'auto'],
    ['none', 'none'],
    ['required', 'required'],
    [{ tool: 'weather' }, { type: 'function', function: { name: 'weather' } }],
  ] as const)('tools, and the choice %j', async (toolChoice, sent) => {
    const { vendor, provider } = await start();
    await provider.complete(request({ tools: [weather], toolChoice }), never());
    expect(vendor.calls()[0]?.body).toMatchObject({
      tools: [{ type: 'function', function: weather }],
      tool_choice: sent,
    });
  });

  test('nothing of tools when none are offered', async () => {
    const { vendor, provider } = await start();
    await provider.complete(request({ tools: [], toolChoice: 'required' }), never());
    expect(vendor.calls()[0]?.body).not.toHaveProperty('tools');
    expect(vendor.calls()[0]?.body).not.toHaveProperty('tool_choice');
  });

  test('earlier calls and their results; arguments that are no JSON go as none', async () => {
    const { vendor, provider } = await start();
    const bad = { id: 'b', tool: 'weather', arguments: '{"city": ' };
    await provider.complete(
      request({
        messages: [
          { role: 'USER', text: 'Where is it warm?' },
          { role: 'ASSISTANT', text: '', toolCalls: [asked('Paris', 'a'), bad] },
          { role: 'TOOL', text: '21 degrees', toolCallId: 'a' },
          { role: 'TOOL', text: 'arguments must be JSON', toolCallId: 'b' },
        ],
      }),
      never(),
    );
    const call = (id: string, args: string) => ({
      id,
      type: 'function',
      function: { name: 'weather', arguments: args },
    });
    expect(vendor.calls()[0]?.body).toMatchObject({
      messages: [
        { role: 'user' },
        { role: 'assistant', content: null, tool_calls: [call('a', '{"city":"Paris"}'), call('b', '{}')] },
        { role: 'tool', tool_call_id: 'a', content: '21 degrees' },
        { role: 'tool', tool_call_id: 'b' },
      ],
    });
  });
});

describe('what comes back', () => {
  const wanted = [asked('Paris, the capital of France', 'call_0'), asked('Oslo', 'call_1')];

  test.each([{}, { splitBytes: 7 }])('parallel calls of a stream, piece by piece, behind the text %j', async (more) => {
    const { vendor, provider } = await start();
    vendor.next({ reply: 'I look it up.', toolCalls, ...more });
    const chunks = await all(provider.chat(request({ tools: [weather] }), never()));
    expect(textOf(chunks)).toBe('I look it up.');
    expect(callsOf(chunks)).toEqual(wanted);
    expect(chunks.filter(({ type }) => type === 'tool-arguments').length).toBeGreaterThan(2);
    expect(chunks).toContainEqual({ type: 'finish', reason: 'TOOL_CALLS' });
  });

  test('the same in one reply', async () => {
    const { vendor, provider } = await start();
    vendor.next({ toolCalls });
    const reply = await provider.complete(request({ tools: [weather] }), never());
    expect(reply).toMatchObject({ text: '', toolCalls: wanted, finishReason: 'TOOL_CALLS' });
  });

  test.each([
    [
      'whole calls under one index',
      [
        { tool_calls: [{ index: 0, id: 'a', function: { name: 'weather', arguments: '{"city":"Paris"}' } }] },
        { tool_calls: [{ index: 0, id: 'b', function: { name: 'weather', arguments: '{"city":"Oslo"}' } }] },
      ],
    ],
    [
      'whole calls without an index',
      [
        {
          tool_calls: [
            { id: 'a', function: { name: 'weather', arguments: '{"city":"Paris"}' } },
            { id: 'b', function: { name: 'weather', arguments: '{"city":"Oslo"}' } },
          ],
        },
      ],
    ],
    [
      'arguments that are objects',
      [
        { tool_calls: [{ index: 0, id: 'a', function: { name: 'weather', arguments: { city: 'Paris' } } }] },
        { tool_calls: [{ index: 1, id: 'b', function: { name: 'weather', arguments: { city: 'Oslo' } } }] },
      ],
    ],
    [
      'an id and a name with every piece',
      [
        { tool_calls: [{ index: 0, id: 'a', function: { name: 'weather', arguments: '{"city":' } }] },
        { tool_calls: [{ index: 0, id: 'a', function: { name: 'weather', arguments: '"Paris"}' } }] },
        { tool_calls: [{ index: 1, id: 'b', function: { name: 'weather', arguments: '{"city":"Oslo"}' } }] },
      ],
    ],
  ])('of servers that send %s', async (_, deltas) => {
    const { vendor, provider } = await start();
    vendor.next(events(...deltas));
    const chunks = await all(provider.chat(request({ tools: [weather] }), never()));
    expect(callsOf(chunks)).toEqual([asked('Paris', 'a'), asked('Oslo', 'b')]);
    expect(chunks.at(-1)).toEqual({ type: 'finish', reason: 'TOOL_CALLS' });
  });

  test('of servers that send no id: each call gets one of its own', async () => {
    const { vendor, provider } = await start();
    const whole = (city: string) => ({ function: { name: 'weather', arguments: { city } } });
    vendor.next(events({ tool_calls: [whole('Paris'), whole('Oslo')] }));
    const calls = callsOf(await all(provider.chat(request({ tools: [weather] }), never())));
    expect(calls.map((call) => call.arguments)).toEqual(['{"city":"Paris"}', '{"city":"Oslo"}']);
    expect(new Set(calls.map(({ id }) => id)).size).toBe(2);
  });

  test.each([
    ['no list', { tool_calls: 'weather' }],
    ['a call without a name', { tool_calls: [{ index: 0, id: 'a', function: { arguments: '{}' } }] }],
    ['a function that is none', { tool_calls: [{ index: 0, id: 'a', function: 'weather' }] }],
  ])('is refused when it is %s', async (_, delta) => {
    const { vendor, provider } = await start();
    vendor.next(events(delta));
    const { error } = await outcome(provider.chat(request({ tools: [weather] }), never()));
    expect(error).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', message: expect.stringContaining('tool_calls') });
  });
});
