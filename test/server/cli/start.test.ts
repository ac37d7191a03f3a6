import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { temporaryDataDirectory } from '../../helpers/embedded-database.ts';
import { runCommand } from './run-command.ts';
import { runSluice, SluiceProcess } from './run-sluice.ts';

const fixtures = fileURLToPath(new URL('../../fixtures/documents', import.meta.url));
const gateway = new URL('../../../server/main.ts', import.meta.url);

/** The commands against the gateway itself, embedded and without a key. (test/deploy/ starts on a directory that holds nothing at all.) */
describe.skipIf(!existsSync(gateway))('sluice start', () => {
  it('serves ingest, search and chat, and exits 0 on SIGTERM', async () => {
    await using folder = await temporaryDataDirectory();
    await using started = new SluiceProcess(['start'], {
      env: {
        PORT: '0',
        SLUICE_DATA_DIR: folder.path,
        SLUICE_SEED_DOCS: 'false',
        // Whatever the machine has set: this is the local provider and the embedded database.
        DATABASE_URL: undefined,
        REDIS_URL: undefined,
        OPENAI_API_KEY: undefined,
        OPENAI_BASE_URL: undefined,
        SLUICE_CONFIG: undefined,
      },
    });
    const output = await started.printed('Sluice listens at ');
    const env = { SLUICE_URL: /Sluice listens at (\S+)/.exec(output)?.[1] ?? '' };

    const ingested = await runSluice(['ingest', fixtures, '--in', 'handbooks'], { env });
    expect(ingested).toMatchObject({
      code: 1,
      stdout: 'ingested 12 document(s) into "handbooks", 0 unchanged, 6 failed\n',
    });
    const again = await runCommand(['ingest', join(fixtures, 'tides.txt'), '--in', 'handbooks'], { env });
    expect(again).toMatchObject({
      code: 0,
      stdout: 'ingested 0 document(s) into "handbooks", 1 unchanged, 0 failed\n',
    });

    const question = 'When is the lamp of the lighthouse lit?';
    const found = await runCommand(['search', question, '--in', 'handbooks', '--first', '2'], { env });
    expect(found).toMatchObject({ code: 0, stderr: '' });
    expect(found.stdout).toMatch(/^1\. Skerry Point lighthouse/);

    const answered = await runSluice(['chat', question, '--in', 'handbooks'], { env });
    expect(answered.code).toBe(0);
    expect(answered.stdout).toMatch(/sunset to sunrise.*\nSources\n\[1\] Skerry Point lighthouse\n/s);
    const conversation = /--conversation (\S+)/.exec(answered.stderr)?.[1] ?? '';
    const next = await runCommand(
      ['chat', 'How often does the fog horn sound?', '--in', 'handbooks', '--conversation', conversation],
      { env },
    );
    expect(next).toMatchObject({ code: 0, stdout: expect.stringContaining('twice a minute') });

    started.kill('SIGTERM');
    expect(await started.ended()).toMatchObject({ code: 0, signal: null });
  }, 180_000);
});
