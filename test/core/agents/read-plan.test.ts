import { describe, expect, it } from 'vitest';
import { readPlan } from '../../../core/agents/plan/read-plan.ts';

const step = (key: string, dependsOn: string[] = [], role = 'RESEARCHER') => ({
  ...{ key, title: `About ${key}`, task: `What is ${key}?`, role, dependsOn },
});
const planOf = (...steps: readonly unknown[]): string => JSON.stringify({ steps });

describe('a plan', () => {
  it('is read from JSON, also in a code fence', () => {
    const plan = planOf(step('lamp'), step('keeper', ['lamp']));
    expect(readPlan(plan, 8)).toMatchObject({ ok: true, steps: [{ key: 'lamp' }, { dependsOn: ['lamp'] }] });
    expect(readPlan(`\`\`\`json\n${plan}\n\`\`\``, 8).ok).toBe(true);
  });

  it.each([
    ['no JSON', 'First I would look up the lamp.', /not JSON/],
    ['of another shape', '{"plan": []}', /steps/],
    ['empty', planOf(), /at least one step/],
    ['of a role that nobody has', planOf(step('a', [], 'WIZARD')), /steps\.0\.role/],
    ['with a key twice', planOf(step('a'), step('a')), /"a" stands twice/],
    ['with a key of the gateway itself', planOf(step('answer')), /"answer" is a key of the gateway/],
    ['with a key that is no name', planOf(step('a b')), /letters, digits/],
    ['that depends on what is not there', planOf(step('a', ['z'])), /"z", which is no step/],
    ['that depends on itself', planOf(step('a', ['a'])), /depends on itself/],
    [
      'that goes round',
      planOf(step('a', ['c']), step('b', ['a']), step('c', ['b']), step('d')),
      /wait for each other: a, b, c/,
    ],
    [
      'of 500 steps',
      planOf(...Array.from({ length: 500 }, (_, index) => step(`s${index}`))),
      /at most 8 steps, got 500/,
    ],
  ])('that is %s comes with the fault', (_name, reply, fault) => {
    const reading = readPlan(reply, 8);
    expect(reading.ok).toBe(false);
    expect(reading.ok ? '' : reading.faults.join('\n')).toMatch(fault);
  });
});
