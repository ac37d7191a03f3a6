import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { describe, expect, it } from 'vitest';
import { temporaryDataDirectory, temporaryDirectory } from '../../helpers/embedded-database.ts';
import { startGatewayProcess } from '../../helpers/gateway-process.ts';

const bound = '--max-semi-space-size=16';

describe.skipIf(process.platform === 'win32')('the memory of a started gateway', () => {
  it('is bounded from the start of its process on: the heap for new objects, and the arenas of malloc', async () => {
    expect(await startsOf('')).toEqual([
      { flags: [], arenas: null },
      { flags: [bound], arenas: '2' },
    ]);
  });

  it('is bounded as the operator says, who knows more', async () => {
    expect(await startsOf('--max-semi-space-size=64')).toEqual([{ flags: [], arenas: null }]);
  });
});

/** How each process of a gateway was started that is given these NODE_OPTIONS: the first, and the one that it went on as. */
async function startsOf(nodeOptions: string): Promise<unknown[]> {
  await using directory = await temporaryDataDirectory();
  await using folder = await temporaryDirectory();
  const observer = join(folder.path, 'observer.mjs');
  await writeFile(
    observer,
    `import { isMainThread } from 'node:worker_threads';
    const start = { flags: process.execArgv, arenas: process.env.MALLOC_ARENA_MAX ?? null };
    if (isMainThread) process.stderr.write('START ' + JSON.stringify(start) + '\\n');`,
  );
  await using gateway = await startGatewayProcess({
    dataDir: directory.path,
    environment: { NODE_OPTIONS: `--import ${observer} ${nodeOptions}` },
  });
  return [...gateway.output.matchAll(/^START (.*)$/gm)].map(([, start = '']) => JSON.parse(start));
}
