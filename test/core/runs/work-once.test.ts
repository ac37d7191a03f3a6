import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Executor } from '../../../core/runs/live-run.ts';
import { type Cluster, openCluster } from './instances.ts';
import { keyOf, startOf } from './rig.ts';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await openCluster();
}, 60_000);
afterAll(() => cluster[Symbol.asyncDispose]());

const never = new AbortController().signal;

/** Three pieces of work, of which each is noted by its instance; `pause` comes before each piece. */
function works(name: string, done: string[], pause: (piece: string) => Promise<void> = async () => {}): Executor {
  return async ({ once, emit }) => {
    const values: string[] = [];
    for (const piece of ['plan', 'search', 'answer']) {
      const value = await once(piece, async () => {
        await pause(piece);
        done.push(`${name} ${piece}`);
        emit({ type: 'ToolCallStarted', toolCallId: `${name} ${piece}`, tool: 'test' });
        return `${piece} by ${name}`;
      });
      values.push(value);
    }
    done.push(values.join(', '));
    return {};
  };
}

test('what a dead instance had finished is not done again, and what it said of that is in the log', async () => {
  const done: string[] = [];
  const stuck = Promise.withResolvers<void>();
  const atAnswer = Promise.withResolvers<void>();
  const pause = async (piece: string) => {
    if (piece !== 'answer') return;
    atAnswer.resolve();
    await stuck.promise;
  };
  const a = await cluster.start({ executor: works('a', done, pause) });
  const b = await cluster.start({ executor: works('b', done) });
  await startOf(a.runs, { runId: 'r' });
  await atAnswer.promise;
  const before = await cluster.log.read(keyOf('r'), 0, 100);
  expect(before.events.map(({ event }) => event.type)).toEqual(['RunStarted', 'ToolCallStarted', 'ToolCallStarted']);
  a.sleep();
  expect(await b.runs.whenFinished(keyOf('r'), never)).toMatchObject({ status: 'SUCCEEDED', attempt: 2 });
  expect(done).toEqual(['a plan', 'a search', 'b answer', 'plan by a, search by a, answer by b']);
  // The old attempt wakes up in the middle of its work: its result is nobody's.
  a.wake();
  stuck.resolve();
  await expect.poll(() => a.runs.liveCount).toBe(0);
  expect(done.at(-1)).toBe('a answer');
  const after = await cluster.log.read(keyOf('r'), 0, 100);
  expect(after.events.map(({ event }) => event.type)).toEqual([
    ...['RunStarted', 'ToolCallStarted', 'ToolCallStarted'],
    ...['ToolCallStarted', 'RunFinished'],
  ]);
});

test('work that failed is done again when it is asked for again, and two that ask together share it', async () => {
  let calls = 0;
  const executor: Executor = async ({ once }) => {
    const fails = once('key', async () => {
      calls += 1;
      throw new Error('not yet');
    });
    await expect(fails).rejects.toThrow('not yet');
    const work = async () => {
      calls += 1;
      return calls;
    };
    const together = await Promise.all([once('key', work), once('key', work)]);
    expect(together).toEqual([2, 2]);
    return {};
  };
  const { runs } = await cluster.start({ executor });
  for (const stored of [true, false]) {
    calls = 0;
    await startOf(runs, { runId: `stored ${stored}`, stored });
    expect(await runs.whenFinished(keyOf(`stored ${stored}`), never)).toMatchObject({
      status: 'SUCCEEDED',
      error: null,
    });
  }
});
