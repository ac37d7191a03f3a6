import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startFakeGateway } from './fake-gateway.ts';
import { runCommand } from './run-command.ts';
import { SluiceProcess } from './run-sluice.ts';

const fixtures = fileURLToPath(new URL('../../fixtures/documents', import.meta.url));
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-ingest-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('sluice ingest', () => {
  it('sends every document of a folder, reports what failed and exits 1', async () => {
    await using gateway = await startFakeGateway();
    const { code, stdout, stderr } = await runCommand(['ingest', fixtures, '--url', gateway.url]);
    expect({ code, stdout }).toEqual({
      code: 1,
      stdout: 'ingested 12 document(s) into "default", 0 unchanged, 6 failed\n',
    });
    expect(stderr).toMatch(/^failed: scanned\.pdf: has no text/m);
    expect(stderr).toMatch(/^failed: notes\.jsonl#3: line 3 is no JSON/m);
    expect(stderr).toMatch(/sluice: 6 document\(s\) failed: see above\n$/);
    expect(gateway.ingests).toHaveLength(1);
    expect(gateway.ingests[0]?.documents.find(({ externalId }) => externalId === 'lighthouse.pdf')).toEqual({
      externalId: 'lighthouse.pdf',
      title: 'Skerry Point lighthouse',
      text: expect.stringContaining('from sunset to sunrise'),
      url: null,
      metadata: { path: 'lighthouse.pdf', type: 'pdf', pages: 2 },
    });
  });

  it('exits 0 when all is in, and says what the gateway found unchanged', async () => {
    await using gateway = await startFakeGateway({
      ingest(run, documents) {
        run.facts = { ...run.facts, documentsDone: 0, documentsSkipped: documents.length };
        run.append({ __typename: 'RunFinished' });
      },
    });
    const { code, stdout, stderr } = await runCommand(['ingest', join(fixtures, 'tides.txt'), '--url', gateway.url]);
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: 'ingested 0 document(s) into "default", 1 unchanged, 0 failed\n',
      stderr: '',
    });
  });

  it('splits into runs of at most 1,000 documents and about 5 MB, one after the other', async () => {
    const small = Array.from({ length: 1_200 }, (_, id) => JSON.stringify({ id, text: `note ${id}` }));
    const large = Array.from({ length: 12 }, (_, id) =>
      JSON.stringify({ id: `l${id}`, text: 'large '.repeat(150_000) }),
    );
    await writeFile(join(folder, 'all.jsonl'), [...small, ...large].join('\n'));
    let running = 0;
    let most = 0;
    await using gateway = await startFakeGateway({
      async ingest(run, documents) {
        running += 1;
        most = Math.max(most, running);
        run.append({ __typename: 'ProgressReported', done: documents.length, total: documents.length });
        await new Promise(setImmediate);
        running -= 1;
        run.append({ __typename: 'RunFinished' });
      },
    });
    const { code, stdout } = await runCommand(['ingest', join(folder, 'all.jsonl'), '--url', gateway.url]);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 'ingested 1212 document(s) into "default", 0 unchanged, 0 failed\n',
    });
    expect(gateway.ingests.map(({ documents }) => documents.length)).toEqual([1_000, 205, 5, 2]);
    expect(most).toBe(1);
  });

  it('prints progress as lines where there is no terminal', async () => {
    await writeFile(
      join(folder, 'a.jsonl'),
      Array.from({ length: 40 }, (_, id) => `{"id": ${id}, "text": "t"}`).join('\n'),
    );
    await using gateway = await startFakeGateway();
    const { stderr } = await runCommand(['ingest', folder, '--url', gateway.url]);
    const lines = stderr.trim().split('\n');
    expect(lines[0]).toBe('ingested 4 of 40 documents (10%)');
    expect(lines.at(-1)).toBe('ingested 40 of 40 documents (100%)');
    expect(lines).toHaveLength(10);
  });

  it('follows the run over a socket that drops', async () => {
    await using gateway = await startFakeGateway({ cutAfter: [3] });
    const { code } = await runCommand(['ingest', join(fixtures, 'mountains.csv'), '--url', gateway.url]);
    expect(code).toBe(0);
    expect(gateway.subscribed.map(({ after }) => after)).toEqual([null, 'cursor-3']);
  });

  it('lists the failures of the gateway beside its own', async () => {
    await using gateway = await startFakeGateway({
      ingest(run) {
        run.facts = {
          ...run.facts,
          documentsDone: 1,
          failures: [{ externalId: 'mountains.csv#3', message: 'title must be at most 1000 characters' }],
        };
        run.append({ __typename: 'RunFinished' });
      },
    });
    const { code, stderr } = await runCommand(['ingest', join(fixtures, 'mountains.csv'), '--url', gateway.url]);
    expect(code).toBe(1);
    expect(stderr).toContain('failed: mountains.csv#3: title must be at most 1000 characters\n');
  });

  it('makes a collection that is not there yet', async () => {
    await using gateway = await startFakeGateway();
    const { code, stderr } = await runCommand([
      'ingest',
      join(fixtures, 'tides.txt'),
      '--in',
      'sea',
      '--url',
      gateway.url,
    ]);
    expect(code).toBe(0);
    expect(stderr).toContain('created the collection "sea"\n');
    expect(gateway.ingests).toMatchObject([{ in: 'sea' }]);
  });

  it('stops at a run that failed, and says what is already in', async () => {
    await using gateway = await startFakeGateway({
      ingest(run) {
        run.facts = { ...run.facts, documentsDone: 1 };
        run.append({
          __typename: 'RunFailed',
          error: { code: 'BUDGET_EXCEEDED', message: 'the budget of today is spent' },
        });
      },
    });
    const { code, stdout, stderr } = await runCommand([
      'ingest',
      join(fixtures, 'mountains.csv'),
      '--url',
      gateway.url,
    ]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(
      'sluice: BUDGET_EXCEEDED: the budget of today is spent (1 document(s) are ingested, the same command goes on from there)\n',
    );
  });

  it('cancels the run on Ctrl-C, says what is in and exits 130', async () => {
    await using gateway = await startFakeGateway({
      ingest(run) {
        run.facts = { ...run.facts, documentsDone: 1 };
        run.append({ __typename: 'ProgressReported', done: 1, total: 2 });
      },
    });
    await using sluice = new SluiceProcess(['ingest', join(fixtures, 'mountains.csv'), '--url', gateway.url]);
    await sluice.printed('ingested 1 of 2');
    sluice.kill('SIGINT');
    const { code, stderr } = await sluice.ended();
    expect(code).toBe(130);
    expect(stderr).toMatch(/^sluice: interrupted: 1 document\(s\) are ingested, the same command goes on from there$/m);
    expect(gateway.cancels).toHaveLength(1);
  });

  it('notes what it skipped, and fails when there was nothing else', async () => {
    await writeFile(join(folder, 'logo.png'), 'png');
    await using gateway = await startFakeGateway();
    const { code, stderr } = await runCommand(['ingest', folder, '--url', gateway.url]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^skipped 1 file\(s\) of other types\nsluice: found no documents/);
    expect(gateway.ingests).toEqual([]);
  });
});
