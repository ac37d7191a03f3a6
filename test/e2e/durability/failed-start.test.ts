import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryDataDirectory, temporaryDirectory } from '../../helpers/embedded-database.ts';
import { startGateway } from '../../helpers/gateway.ts';
import { failedStart } from '../../helpers/gateway-process.ts';
import { startVendor } from '../../helpers/vendor/vendor.ts';

describe('a start that cannot work says why', () => {
  it('and exits with 1 when a file is where the data directory should be, and the file stays as it was', async () => {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, 'data');
    await writeFile(file, 'precious');
    const { exitCode, output } = await failedStart({ dataDir: file });
    expect(exitCode).toBe(1);
    expect(output).toContain(`expected a data directory that can be created and written, got ${file}`);
    expect(await readFile(file, 'utf8')).toBe('precious');
  });

  it('when a file is where the data directory would be created', async () => {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, 'file');
    await writeFile(file, '');
    await expect(startGateway({ dataDir: join(file, 'data') })).rejects.toThrow(
      /expected a data directory that can be created and written.*ENOTDIR/s,
    );
  });

  it('when a file is where the database should be, and the file stays as it was', async () => {
    await using directory = await temporaryDirectory();
    const database = join(directory.path, 'postgres');
    await writeFile(database, 'precious');
    await expect(startGateway({ dataDir: directory.path })).rejects.toThrow(
      `the embedded database could not be opened: ${database}`,
    );
    expect(await readFile(database, 'utf8')).toBe('precious');
  });

  it('when the database there is of another version', async () => {
    await using directory = await temporaryDirectory();
    await mkdir(join(directory.path, 'postgres'));
    await writeFile(join(directory.path, 'postgres', 'PG_VERSION'), '15\n');
    await expect(startGateway({ dataDir: directory.path })).rejects.toThrow('a database of PostgreSQL 15');
    expect(await readFile(join(directory.path, 'postgres', 'PG_VERSION'), 'utf8')).toBe('15\n');
  });

  it('when another gateway has the data directory, which goes on undisturbed', async () => {
    await using directory = await temporaryDataDirectory();
    await using vendor = await startVendor();
    await using gateway = await startGateway({ dataDir: directory.path, vendor });
    await expect(startGateway({ dataDir: directory.path, vendor })).rejects.toThrow(`in use by process ${process.pid}`);
    const { health } = await gateway.data<{ health: { ok: boolean } }, unknown>('{ health { ok } }');
    expect(health.ok).toBe(true);
  });
});
