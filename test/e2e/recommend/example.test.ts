import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { startGateway } from '../../helpers/gateway.ts';

const run = promisify(execFile);

it('the shop of the examples shows two people what suits them, and why, as often as it is run', async () => {
  await using gateway = await startGateway();
  const shop = () =>
    run(process.execPath, ['examples/shop.ts'], { env: { ...process.env, SLUICE_URL: gateway.url }, timeout: 60_000 });
  for (const { stdout } of [await shop(), await shop()]) {
    const [ann = '', ben = ''] = stdout.split('For ben:');
    expect(ann).toMatch(/(Blue Hour|Brass Parade) +Because you bought “Midnight Trio”\./);
    expect(ann).toMatch(/(Herbs on the Sill|Small Trees) +Because you liked “The Rose Book”\./);
    expect(ann).not.toContain('Garage Noise ');
    expect(ben).toMatch(/Garage Noise +It matches your interest in loud electric guitars\./);
  }
});
