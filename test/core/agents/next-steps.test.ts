import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type GraphStep, isOver, nextSteps } from '../../../core/agents/steps/next-steps.ts';
import type { StepStatus } from '../../../core/contracts/run-event.ts';

const step = (key: string, dependsOn: string[] = [], status: StepStatus = 'PENDING'): GraphStep => ({
  key,
  dependsOn,
  status,
  hasResult: status === 'SUCCEEDED',
});

describe('the next steps', () => {
  it('are all those that wait for nothing, at once', () => {
    expect(nextSteps([step('a'), step('b'), step('c', ['a'])], 8)).toEqual({ start: ['a', 'b'], skip: [] });
  });

  it('are no more than may run beside those that run', () => {
    expect(nextSteps([step('a', [], 'RUNNING'), step('b'), step('c')], 2).start).toEqual(['b']);
    expect(nextSteps([step('a', [], 'RUNNING'), step('b')], 1).start).toEqual([]);
  });

  it('begin with the one that most is waiting for', () => {
    const steps = [step('alone'), step('first'), step('second', ['first']), step('third', ['second'])];
    expect(nextSteps(steps, 1).start).toEqual(['first']);
  });

  it('work with what there is where only a part of what they build on failed', () => {
    const steps = [step('a', [], 'SUCCEEDED'), step('b', [], 'FAILED'), step('c', ['a', 'b'])];
    expect(nextSteps(steps, 8)).toEqual({ start: ['c'], skip: [] });
  });

  it('are skipped with all that comes after them when nothing is left to build on', () => {
    const steps = [step('a', [], 'FAILED'), step('b', ['a']), step('c', ['b']), step('d')];
    expect(nextSteps(steps, 8)).toEqual({ start: ['d'], skip: ['b', 'c'] });
  });

  it('build on what a step left although it did not succeed', () => {
    const left: GraphStep = { ...step('a', [], 'FAILED'), hasResult: true };
    expect(nextSteps([left, step('b', ['a'])], 8).start).toEqual(['b']);
  });
});

/** Steps that depend on earlier ones only, and how each will end. */
const graphs = fc.array(fc.record({ picks: fc.array(fc.nat(), { maxLength: 3 }), fails: fc.boolean() }), {
  minLength: 1,
  maxLength: 30,
});

describe('a graph that is worked through', () => {
  it('ends every step, never before what it depends on, and never with more at once than allowed', () => {
    fc.assert(
      fc.property(graphs, fc.integer({ min: 1, max: 5 }), fc.infiniteStream(fc.nat()), (graph, maxParallel, picks) => {
        let steps = graph.map(({ picks: on }, index) =>
          step(`s${index}`, index === 0 ? [] : [...new Set(on.map((pick) => `s${pick % index}`))]),
        );
        const set = (key: string, status: StepStatus): void => {
          steps = steps.map((each) => (each.key === key ? step(key, [...each.dependsOn], status) : each));
        };
        const statusOf = (key: string) => steps.find((each) => each.key === key)?.status;
        for (let turn = 0; turn < 200; turn += 1) {
          const { start, skip } = nextSteps(steps, maxParallel);
          for (const key of skip) set(key, 'SKIPPED');
          for (const key of start) {
            const { dependsOn } = steps.find((each) => each.key === key) ?? step('');
            expect(dependsOn.every((other) => isOver(statusOf(other)))).toBe(true);
            set(key, 'RUNNING');
          }
          const running = steps.filter(({ status }) => status === 'RUNNING');
          expect(running.length).toBeLessThanOrEqual(maxParallel);
          const ending = running[(picks.next().value ?? 0) % Math.max(1, running.length)];
          if (ending === undefined) break;
          set(ending.key, graph[Number(ending.key.slice(1))]?.fails ? 'FAILED' : 'SUCCEEDED');
        }
        expect(steps.filter(({ status }) => !isOver(status))).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});
