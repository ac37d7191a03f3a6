import { describe, expect, it } from 'vitest';
import { configuredAgents } from '../../server/config/agents.ts';
import { ConfigError, loadConfig } from '../../server/config/config.ts';
import { configFile } from '../helpers/config-file.ts';

const team = (members: readonly object[], more: object = {}) => ({
  agents: { support: { description: 'Answers from the handbook.', topology: 'TEAM', members, ...more } },
});
const whole = [{ role: 'PLANNER' }, { role: 'RESEARCHER' }, { role: 'EXECUTOR' }];

async function faultsIn(values: Readonly<Record<string, unknown>>): Promise<string> {
  await using file = await configFile(values);
  const error = await loadConfig(file.environment).catch((reason: unknown) => reason);
  return error instanceof ConfigError ? error.faults.join('\n') : 'none';
}

describe('agents by configuration', () => {
  it('take what is left out from the shipped ones', async () => {
    await using file = await configFile(
      team([...whole, { role: 'VALIDATOR', name: 'sceptic', instructions: 'Doubt.' }]),
    );
    const [agent] = configuredAgents((await loadConfig(file.environment)).agents);
    expect(agent).toMatchObject({ name: 'support', limits: { maxSteps: 24, maxParallel: 8, timeoutMs: 600_000 } });
    expect(agent?.members.map(({ name, model }) => [name, model])).toEqual([
      ['planner', null],
      ['researcher', null],
      ['executor', null],
      ['sceptic', null],
    ]);
    expect(agent?.members[0]?.instructions).toContain('You plan research');
  });

  it.each([
    ['a team without a planner', team(whole.slice(1)), /agents\.support\.members: expected a PLANNER/],
    ['a part twice', team([...whole, { role: 'EXECUTOR' }]), /expected one EXECUTOR, got several/],
    ['an assistant in a team', team([...whole, { role: 'ASSISTANT' }]), /expected none of role ASSISTANT/],
    ['a role that there is not', team([...whole, { role: 'WIZARD' }]), /agents\.support\.members\.3\.role/],
    [
      'a model that nobody has',
      team([{ role: 'PLANNER', model: 'extractve' }, ...whole.slice(1)]),
      /agents\.support\.members\.0\.model: expected a route or a model of a provider; the nearest name is "extractive"/,
    ],
    [
      'fewer steps than a team needs',
      team([...whole, { role: 'VALIDATOR' }], { limits: { maxSteps: 2 } }),
      /agents\.support\.limits\.maxSteps: expected at least 3/,
    ],
    ['an unknown setting', team(whole, { limits: { maxStep: 2 } }), /"maxStep"/],
  ])('%s is a fault with its path', async (_name, values, fault) => {
    expect(await faultsIn(values)).toMatch(fault);
  });
});
