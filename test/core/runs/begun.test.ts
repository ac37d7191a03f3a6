import { expect, test } from 'vitest';
import { memoryEventLog } from '../../../adapters/memory/event-log.ts';
import type { RunEvent } from '../../../core/contracts/run-event.ts';
import type { RunRecord } from '../../../core/contracts/run-store.ts';
import { takeLog } from '../../../core/runs/begun.ts';
import { keyOf, timerClock } from './rig.ts';

const log = memoryEventLog({ clock: timerClock, retentionMs: 3_600_000, maxEventsPerRun: 10_000 });
const asked = (round: number, error: string | null): RunEvent => ({
  ...{ type: 'ApprovalRequested', round },
  toolCall: {
    ...{ id: 'one', tool: 'launch', arguments: {}, status: 'AWAITING_APPROVAL' },
    result: error === null ? null : { error },
  },
});

test('each question about a call is said once, however many there are', async () => {
  await log.append(keyOf('rounds'), 1, [asked(1, null), asked(2, 'Its outcome is unknown.')]);
  const { begun } = await takeLog(log, { ...keyOf('rounds'), attempt: 2, startedAt: new Date() } as RunRecord);
  expect(begun.hasSaid(asked(1, null))).toBe(true);
  expect(begun.hasSaid(asked(2, 'Its outcome is unknown.'))).toBe(true);
  expect(begun.hasSaid(asked(3, 'Its outcome is unknown.'))).toBe(false);
});

test('questions that an earlier version has said without a number are said once too', async () => {
  const { round: _round, ...old } = asked(2, 'Its outcome is unknown.') as Extract<
    RunEvent,
    { type: 'ApprovalRequested' }
  >;
  await log.append(keyOf('old'), 1, [old]);
  const { begun } = await takeLog(log, { ...keyOf('old'), attempt: 2, startedAt: new Date() } as RunRecord);
  expect(begun.hasSaid(asked(2, 'Its outcome is unknown.'))).toBe(true);
  expect(begun.hasSaid(asked(1, null))).toBe(false);
});
