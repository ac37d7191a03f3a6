import type { Message } from '@ag-ui/core';
import { expect, test } from 'vitest';
import { memoryEventLog } from '../../../adapters/memory/event-log.ts';
import type { EventLog } from '../../../core/contracts/event-log.ts';
import type { AwaitedCallRecord } from '../../../core/contracts/parked-runs.ts';
import type { RunEvent } from '../../../core/contracts/run-event.ts';
import type { ParkedStatus, RunRecord, RunStatus } from '../../../core/contracts/run-store.ts';
import type { AgUiEvent } from '../../../server/ag-ui/events.ts';
import { translatedRun } from '../../../server/ag-ui/translated-run.ts';
import { timerClock } from '../../core/runs/rig.ts';
import { appliedTo } from './replay.ts';

const runId = '00000000-0000-4000-8000-000000000000';
const key = { tenant: 'tenant', runId };
const usage = { inputTokens: 9, cachedInputTokens: 2, outputTokens: 4, calls: 1, costUsd: null, estimated: false };
const question: Message = { id: 'question', role: 'user', content: 'Where?' };

const callOf = (callId: string, awaits: ParkedStatus): AwaitedCallRecord => ({
  ...{ callId, round: 1, awaits, tool: 'locate', arguments: { exact: true }, parameters: { type: 'object' } },
  ...{ reason: null, answer: null },
});
const asked = (toolCallId: string): RunEvent[] => [
  { type: 'ToolCallStarted', toolCallId, tool: 'locate' },
  { type: 'ToolCallArgumentsDelta', toolCallId, delta: '{"exact":true}' },
  { type: 'ToolCallEnded', toolCallId, arguments: { exact: true } },
];
const parked: RunEvent = { type: 'RunParked', runStatus: 'AWAITING_TOOL_RESULT', usage };

interface Standing {
  readonly logged: readonly RunEvent[];
  readonly waiting: readonly AwaitedCallRecord[];
  readonly status?: RunStatus;
  readonly from?: number;
  readonly messages?: readonly Message[];
}

/** What a client is told of a run that stands so, within a second. */
async function told({ logged, waiting, status, from = 0, messages = [question] }: Standing): Promise<AgUiEvent[]> {
  const log: EventLog = memoryEventLog({ clock: timerClock, retentionMs: 3_600_000, maxEventsPerRun: 10_000 });
  if (logged.length > 0) await log.append(key, 1, logged);
  const run = {
    ...{ ...key, status: status ?? waiting[0]?.awaits ?? 'RUNNING', stored: true, attempt: 1, usage },
    detail: { kind: 'CHAT' },
  } as unknown as RunRecord; // what is read of it
  const services = {
    clock: timerClock,
    runs: {
      ...{ log, isLive: () => false, find: async () => run },
      watch: () => ({ [Symbol.dispose]: () => {} }),
    },
    parkedRuns: { unanswered: async () => waiting },
    conversations: {},
  } as unknown as Parameters<typeof translatedRun>[0];
  const client = { threadId: 't', runId: 'r', graphRunId: runId, protocolVersion: '1.0', messages, continuesAfter: 0 };
  const events: AgUiEvent[] = [];
  const signal = AbortSignal.timeout(1_000);
  for await (const part of translatedRun(services, run, client, from, signal)) events.push(...part.events);
  await appliedTo(messages, events);
  return events;
}

const typesOf = (events: readonly AgUiEvent[]): string[] => events.map(({ type }) => type);
const whole = ['RUN_STARTED', 'TOOL_CALL_START', 'TOOL_CALL_ARGS', 'TOOL_CALL_END'];

test('a run that waits, and whose log was lost with its process, tells what it waits for', async () => {
  const events = await told({ logged: [], waiting: [callOf('one', 'AWAITING_TOOL_RESULT')] });
  expect(typesOf(events)).toEqual([...whole, 'RUN_FINISHED']);
  expect(events[1]).toMatchObject({ toolCallId: `one@${runId}`, toolCallName: 'locate' });
  expect(events[2]).toMatchObject({ delta: '{"exact":true}' });
  expect(events.at(-1)).toMatchObject({
    result: { usage },
    outcome: { type: 'success', pendingToolCallIds: [`one@${runId}`] },
  });
});

test('calls that the client has already are not told again', async () => {
  const id = `one@${runId}`;
  const call = { id, type: 'function', function: { name: 'locate', arguments: '{}' } } as const;
  const messages: Message[] = [question, { id, role: 'assistant', toolCalls: [call] }];
  const events = await told({ logged: [], waiting: [callOf('one', 'AWAITING_APPROVAL')], messages });
  expect(typesOf(events)).toEqual(['RUN_STARTED', 'RUN_FINISHED']);
  expect(events.at(-1)).toMatchObject({ outcome: { type: 'interrupt', interrupts: [{ toolCallId: id }] } });
});

test('a run that has gone on from one parking to the next is told to the last', async () => {
  const result: RunEvent = { type: 'ToolCallResult', toolCallId: 'one', toolStatus: 'SUCCEEDED', result: 'Oslo' };
  const logged = [{ type: 'RunStarted', kind: 'CHAT' } as const, ...asked('one'), parked, result];
  const events = await told({
    logged: [...logged, ...asked('two'), parked],
    waiting: [callOf('two', 'AWAITING_TOOL_RESULT')],
  });
  expect(typesOf(events)).toEqual([...whole, 'TOOL_CALL_RESULT', ...whole.slice(1), 'RUN_FINISHED']);
  expect(events.at(-1)).toMatchObject({ outcome: { pendingToolCallIds: [`two@${runId}`] } });
});

test('a client that comes back behind the parking is told of it again', async () => {
  const logged = [{ type: 'RunStarted', kind: 'CHAT' } as const, ...asked('one'), parked];
  const events = await told({ logged, waiting: [callOf('one', 'AWAITING_TOOL_RESULT')], from: logged.length });
  expect(typesOf(events)).toEqual(['RUN_STARTED', 'RUN_FINISHED']);
  expect(events.at(-1)).toMatchObject({ result: { usage }, outcome: { pendingToolCallIds: [`one@${runId}`] } });
});
