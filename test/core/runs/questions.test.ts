import { expect, test } from 'vitest';
import type { AwaitedCallRecord, CallAnswer } from '../../../core/contracts/parked-runs.ts';
import type { RunRecord } from '../../../core/contracts/run-store.ts';
import { AnswerBell } from '../../../core/runs/answer-bell.ts';
import { questionsOf } from '../../../core/runs/questions.ts';
import { neverParked, timerClock } from './rig.ts';

const run = { tenant: 'tenant', runId: 'run', attempt: 2 } as RunRecord; // what is read of it
const never = new AbortController().signal;

/** Questions of a run with one call, and how often the database was asked. */
function asking() {
  let answer: CallAnswer | null = null;
  let looks = 0;
  const bell = new AnswerBell();
  const calls = async (): Promise<AwaitedCallRecord[]> => {
    looks += 1;
    const call = { callId: 'one', round: 1, awaits: 'AWAITING_APPROVAL', tool: 'launch', arguments: {} } as const;
    return [{ ...call, parameters: {}, reason: null, answer }];
  };
  const clock = { ...timerClock, sleep: (_ms: number, signal?: AbortSignal) => timerClock.sleep(60_000, signal) };
  const questions = questionsOf(run, { parked: { ...neverParked, calls }, clock, bell, onLost: () => {} });
  return {
    ...{ questions, bell },
    looks: () => looks,
    approve: () => {
      answer = { type: 'approved', arguments: null };
      bell.ring();
    },
  };
}

test('a step that waits is woken by the answer, and asks the database only then', async () => {
  const { questions, approve, looks } = asking();
  expect(await questions.answer('one', 1)).toBeNull();
  expect(await questions.hasNews()).toBe(false);
  const news = questions.untilNews(never);
  expect(looks()).toBe(2);
  approve();
  await news;
  expect(await questions.hasNews()).toBe(true);
  expect(looks()).toBe(3);
});

test('an answer that came while nobody waited for it is heard by who waits next', async () => {
  const { questions, approve } = asking();
  expect(await questions.hasNews()).toBe(false);
  approve();
  await questions.untilNews(never);
  expect(await questions.hasNews()).toBe(true);
  // It has been looked at: there is nothing new.
  await expect(questions.untilNews(AbortSignal.timeout(50))).rejects.toThrow('timeout');
});
