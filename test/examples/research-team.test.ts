import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { ingest, startGateway } from '../helpers/gateway.ts';

const script = fileURLToPath(new URL('../../examples/research-team.ts', import.meta.url));

test('the research team in a terminal draws its steps, and then says its answer with the sources', async () => {
  await using gateway = await startGateway();
  await ingest(gateway, [
    { externalId: 'lamp', title: 'The lamp', text: 'The lamp turns twice a minute. It is lit at sunset.' },
    { externalId: 'keeper', title: 'The keeper', text: 'The keeper lives in the tower until March.' },
  ]);
  const goal = 'How often does the lamp turn? Until when does the keeper live in the tower?';
  const { stdout } = await promisify(execFile)(process.execPath, [script, goal], {
    env: { ...process.env, SLUICE_WS_URL: gateway.webSocketUrl },
  });
  const bar = '[·█]{40}\\s+\\d+ ms  SUCCEEDED';
  expect(stdout).toMatch(new RegExp(`^PLANNER    Plan .*${bar}$`, 'm'));
  expect(stdout).toMatch(new RegExp(`^RESEARCHER How often does the lamp turn\\?.*${bar}$`, 'm'));
  expect(stdout).toMatch(new RegExp(`^RESEARCHER Until when does the keeper.*${bar}$`, 'm'));
  expect(stdout).toMatch(new RegExp(`^VALIDATOR  Check: How often.*${bar}$`, 'm'));
  expect(stdout).toMatch(new RegExp(`^EXECUTOR   Answer.*${bar}$`, 'm'));
  expect(stdout).toContain('twice a minute. [1]');
  expect(stdout).toMatch(/^\[2\] The keeper: ".*until March\."$/m);
});
