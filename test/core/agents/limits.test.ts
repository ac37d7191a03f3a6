import { expect, test } from 'vitest';
import { defaultLimits } from '../../../core/agents/agent.ts';
import { aborted, type ScriptedProvider } from '../../helpers/scripted-provider.ts';
import { castOf, partOf } from './cast.ts';
import { finishedRun } from './rig.ts';

/* Each model call costs 100 tokens. */
const limits = { ...defaultLimits, maxTokens: 150 };

test('a limit that a step reaches in the middle of its tools ends it there: no tool is called any more, and no model asked', async () => {
  const called: string[] = [];
  const provider = castOf({ research: () => ({ text: 'I look.', calls: ['look'] }) });
  const { detail, status, events } = await finishedRun('team', provider, { limits, called });
  expect(status).toBe('SUCCEEDED');
  expect(called).toEqual([]);
  expect(provider.chats.map(({ request }) => partOf(request))).toEqual(['research']);
  expect(detail.output).toMatchObject({ finishReason: 'LENGTH', text: expect.stringContaining('maxTokens of 150') });
  expect(detail.steps.find(({ key }) => key === 'only')).toMatchObject({ status: 'CANCELLED' });
  // Whoever follows sees what became of the call that was asked for.
  expect(events).toContainEqual(expect.objectContaining({ type: 'ToolCallResult', toolStatus: 'FAILED' }));
});

test('a single agent says at its limit what it has, and that it is cut', async () => {
  const called: string[] = [];
  const provider = castOf({ assist: () => ({ calls: ['look'] }) });
  const { detail, status } = await finishedRun('single', provider, {
    ...{ agent: 'assistant', limits: { ...defaultLimits, maxTokens: 100 }, called },
  });
  expect(status).toBe('SUCCEEDED');
  expect(called).toEqual([]);
  expect(provider.chats).toHaveLength(1);
  expect(detail.output).toMatchObject({ finishReason: 'LENGTH', text: expect.stringContaining('maxTokens of 100') });
});

test.each(['assistant', 'research-team'])(
  'the time that is up while %s searches is a limit too, and no cancelling',
  async (agent) => {
    const { detail, status } = await finishedRun(`slow ${agent}`, castOf({}), {
      ...{ agent, limits: { ...defaultLimits, timeoutMs: 100 } },
      search: (_tenant, _queries, signal) => [aborted(signal ?? AbortSignal.timeout(10_000))],
    });
    expect(status).toBe('SUCCEEDED');
    expect(detail.output).toMatchObject({ finishReason: 'LENGTH', text: expect.stringContaining('timeoutMs of 100') });
  },
);

test('the time that is up while a value is made leaves the text without it', async () => {
  const provider = castOf({});
  const hanging = { ...provider, complete: (_request: unknown, signal: AbortSignal) => aborted(signal) };
  const { detail, status } = await finishedRun('slow value', hanging as ScriptedProvider, {
    ...{ agent: 'assistant', limits: { ...defaultLimits, timeoutMs: 500 }, responseSchema: { type: 'object' } },
  });
  expect(status).toBe('SUCCEEDED');
  expect(detail.output).toMatchObject({ text: 'Twice a minute [1].', object: null });
});
