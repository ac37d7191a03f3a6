import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { agentExecutor } from '../../../core/agents/agent-executor.ts';
import type { AgentServices } from '../../../core/agents/agent-services.ts';
import type { ChatRequest } from '../../../core/contracts/model-provider.ts';
import type { RunEvent } from '../../../core/contracts/run-event.ts';
import { planOf } from '../../e2e/agents/team-vendor.ts';
import { says, scriptedProvider } from '../../helpers/scripted-provider.ts';
import { type Cluster, openCluster } from '../runs/instances.ts';
import { keyOf } from '../runs/rig.ts';
import { teamRun, teamServices } from './rig.ts';

/*
 * Thirty runs of a team on one instance, each at another moment of its work when that dies; another instance goes on with all of
 * them. bench/agents/kills.ts does it with processes and kill -9.
 */

const runCount = 30;
const callMs = 25;
const plan = planOf(['a', 'b', ['c', 'a', 'b']]);
/** The plan, three look-ups with their checks, and the answer. */
const undisturbed = 1 + 3 + 3 + 1;
const never = new AbortController().signal;

let cluster: Cluster;
beforeAll(async () => {
  cluster = await openCluster();
});
afterAll(() => cluster[Symbol.asyncDispose]());

interface Calls {
  /** By goal: those begun while the instance was alive, and those of them that were under way when it died. */
  readonly begun: Map<string, number>;
  readonly open: Map<string, number>;
  isDead: boolean;
}

/** A team whose every call takes its time, over one passage. */
function servicesOf(calls: Calls): AgentServices {
  const count = async <T>(request: ChatRequest, reply: () => T): Promise<T> => {
    const goal = /goal-\d+/.exec(request.messages.map(({ text }) => text).join('\n'))?.[0] ?? 'none';
    if (calls.isDead) return sleep(1_000_000, undefined, { ref: false }) as Promise<never>;
    calls.begun.set(goal, (calls.begun.get(goal) ?? 0) + 1);
    calls.open.set(goal, (calls.open.get(goal) ?? 0) + 1);
    await sleep(callMs * (0.5 + Math.random()));
    if (!calls.isDead) calls.open.set(goal, (calls.open.get(goal) ?? 0) - 1);
    return reply();
  };
  const provider = scriptedProvider({
    complete: (request) =>
      count(request, () => {
        const [system] = request.messages;
        const reply = system?.text.startsWith('You plan')
          ? plan
          : system?.text.startsWith('You check')
            ? JSON.stringify({ verdict: 'accept', objection: '', further: null })
            : 'The lamp turns [1].';
        return { text: reply, finishReason: 'STOP' as const, tokens: null };
      }),
    async *chat(request) {
      await count(request, () => null);
      yield* says('The lamp turns ', 'twice a minute [1].');
    },
  });
  return teamServices(provider);
}

test('thirty runs whose instance dies in the middle of them all end, do no finished step again, and tell each step once', async () => {
  const first: Calls = { begun: new Map(), open: new Map(), isDead: false };
  const second: Calls = { begun: new Map(), open: new Map(), isDead: false };
  const dying = await cluster.start({ executor: agentExecutor(servicesOf(first)) });
  const spread = undisturbed * callMs * 3;
  const starts = Array.from({ length: runCount }, async (_, index) => {
    await sleep(Math.random() * spread);
    await dying.runs.start({ run: teamRun(`goal-${index}`), stored: true, turn: null });
  });
  await Promise.all(starts);
  dying.sleep();
  first.isDead = true;
  const living = await cluster.start({ executor: agentExecutor(servicesOf(second)), maxAttempts: 10 });

  let taken = 0;
  for (let index = 0; index < runCount; index += 1) {
    const goal = `goal-${index}`;
    const run = await living.runs.whenFinished(keyOf(goal), never);
    expect(run).toMatchObject({ status: 'SUCCEEDED', error: null });
    if (run.attempt > 1) taken += 1;
    const made = (first.begun.get(goal) ?? 0) + (second.begun.get(goal) ?? 0);
    expect(made).toBeGreaterThanOrEqual(undisturbed);
    expect(made).toBeLessThanOrEqual(undisturbed + (first.open.get(goal) ?? 0));

    const { events } = await cluster.log.read(keyOf(goal), 0, 1_000);
    expect(steps(events.map(({ event }) => event))).toEqual([
      ...['StepFinished a', 'StepFinished answer', 'StepFinished b', 'StepFinished c', 'StepFinished check-a'],
      ...['StepFinished check-b', 'StepFinished check-c', 'StepFinished null'],
      ...['StepStarted a', 'StepStarted answer', 'StepStarted b', 'StepStarted c', 'StepStarted check-a'],
      ...['StepStarted check-b', 'StepStarted check-c', 'StepStarted null'],
    ]);
    const text = events.reduce((so, { event }) => {
      if (event.type === 'TextMessageReset') return '';
      return event.type === 'TextMessageDelta' ? so + event.delta : so;
    }, '');
    expect(text).toBe('The lamp turns twice a minute [1].');
    expect(run.detail).toMatchObject({ output: { text, citations: [{ number: 1 }], finishReason: 'STOP' } });
    const { steps: kept } = run.detail as { steps: readonly { status: string; finishedAt: string | null }[] };
    expect(kept.map(({ status }) => status)).toEqual(Array.from({ length: 7 }, () => 'SUCCEEDED'));
  }
  // The moment was in the middle of most of them.
  expect(taken).toBeGreaterThan(runCount / 4);
});

function steps(events: readonly (RunEvent | { readonly type: 'StreamGap' })[]): string[] {
  return events
    .flatMap((event) =>
      event.type === 'StepStarted' || event.type === 'StepFinished' ? [`${event.type} ${event.step}`] : [],
    )
    .sort();
}
