import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join, sep } from 'node:path';
import process from 'node:process';
import { describe, expect, it } from 'vitest';
import { startFakeGateway } from './fake-gateway.ts';
import { runSluice, SluiceProcess } from './run-sluice.ts';

const oldNode = findOldNode();

/** The machine's own Node, when it is one that cannot run TypeScript. */
function findOldNode(): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => !folder.includes(`${sep}node_modules${sep}`))
    .map((folder) => join(folder, 'node'))
    .filter((path) => existsSync(path))
    .find((path) => {
      const [major = 0, minor = 0] = execFileSync(path, ['-p', 'process.versions.node'], { encoding: 'utf8' })
        .split('.')
        .map(Number);
      return major >= 18 && (major < 22 || (major === 22 && minor < 18));
    });
}

describe.skipIf(oldNode === undefined)('bin/sluice.js under a Node without type stripping', () => {
  const node = oldNode ?? '';

  it('runs with the Node of the project, and keeps the exit code', async () => {
    const [help, wrong] = await Promise.all([runSluice(['--help'], { node }), runSluice(['search'], { node })]);
    expect(help).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('Usage: sluice') });
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
  });

  it('hands on stdin, and a signal once', async () => {
    await using gateway = await startFakeGateway({
      chat: (run) => run.append({ __typename: 'TextMessageDelta', delta: 'Thinking' }),
    });
    await using sluice = new SluiceProcess(['chat', '--url', gateway.url], { node, input: 'one\n' });
    await sluice.printed('Thinking');
    sluice.kill('SIGINT');
    expect(await sluice.ended()).toMatchObject({ code: 130, signal: null });
    expect(gateway.cancels).toHaveLength(1);
  });

  it('does not start itself for ever when the Node of the project is too old itself', async () => {
    const { code, stderr } = await runSluice(['--help'], { node, env: { SLUICE_REEXECUTED: '1' } });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^sluice: needs Node 22\.18 or newer, this is \d+/);
  });
});
