import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { IngestDocument, IngestFailure } from '../../../server/cli/documents/parsed.ts';
import { readDocuments } from '../../../server/cli/documents/read-documents.ts';

const fixtures = fileURLToPath(new URL('../../fixtures/documents', import.meta.url));
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-documents-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function read(...paths: string[]) {
  const skipped = { count: 0 };
  const documents: IngestDocument[] = [];
  const failures: IngestFailure[] = [];
  for await (const parsed of readDocuments(paths, skipped)) {
    if (parsed.type === 'document') documents.push(parsed.document);
    else failures.push(parsed.failure);
  }
  return { documents, failures, skipped: skipped.count, ids: documents.map(({ externalId }) => externalId) };
}
const fixture = (name: string) => read(join(fixtures, name));
const written = async (name: string, content: string | Uint8Array) => {
  await writeFile(join(folder, name), content);
  return await read(join(folder, name));
};

describe('Markdown and text', () => {
  it('takes the first heading as title, not front matter and not a comment in a code block', async () => {
    const { documents } = await fixture('handbook.md');
    expect(documents).toEqual([
      {
        externalId: 'handbook.md',
        title: 'The night train handbook',
        text: expect.stringContaining('Bicycles travel in the luggage van'),
        url: null,
        metadata: { path: 'handbook.md', type: 'md' },
      },
    ]);
  });

  it.each([
    ['underlined\n=====\n', 'underlined'],
    ['- a list\n- item\n---\n\n## Second', 'Second'],
    ['## A [link](https://example.org) and `code` ##', 'A link and code'],
    ['#hashtag is no heading', 'file'],
  ])('titles %j as %s', async (markdown, title) => {
    const { documents } = await written('file.md', markdown);
    expect(documents[0]?.title).toBe(title);
  });

  it('titles plain text by its file', async () => {
    const { documents } = await fixture('tides.txt');
    expect(documents[0]).toMatchObject({ title: 'tides', text: expect.stringContaining('04:12') });
  });

  it('reads UTF-16 with a byte order mark, and no mark ends up in the text', async () => {
    const utf16 = await written('utf16.txt', Buffer.from('\uFEFFGrüße aus Köln', 'utf16le'));
    const utf8 = await written('utf8.txt', '\uFEFFGrüße');
    expect([utf16.documents[0]?.text, utf8.documents[0]?.text]).toEqual(['Grüße aus Köln', 'Grüße']);
  });

  it('reports what no index should hold', async () => {
    const messages = [
      (await written('a.txt', Buffer.from([0x63, 0x61, 0x66, 0xe9]))).failures[0]?.message,
      (await written('b.txt', 'a\0b')).failures[0]?.message,
      (await written('c.md', ' \n\t')).failures[0]?.message,
      (await written('d.txt', 'x'.repeat(1_000_001))).failures[0]?.message,
      (await written('e.txt', 'x'.repeat(4_000_001))).failures[0]?.message,
    ];
    expect(messages).toEqual([
      'is not valid UTF-8: convert it to UTF-8',
      'holds a NUL character in text',
      'has no text',
      'has 1000001 characters of text, at most 1000000 are allowed: split it',
      'has 4000001 bytes, at most 4000000 are read of a txt file: split it',
    ]);
  });
});

describe('HTML', () => {
  it('reads what a reader of the page sees', async () => {
    const { documents } = await fixture('beekeeping.html');
    const [page] = documents;
    expect(page?.title).toBe('Keeping bees & making honey');
    expect(page?.text).toContain('A colony swarms in May when the queen runs out of room. See swarming.');
    expect(page?.text).toContain(' * Take frames that are at least 80\u00a0% capped.');
    expect(page?.text).toMatch(/March +Check stores/);
    expect(page?.text).not.toMatch(/never indexed|color|Shop|https|<|&amp;/);
  });

  it('honours the encoding that the page declares', async () => {
    const { documents } = await fixture('latin1.html');
    expect(documents[0]).toMatchObject({ title: 'latin1', text: 'Café crème costs 3 £.' });
  });

  it('refuses a page that nests too deeply, and no stack trace comes of it', async () => {
    const { failures } = await written('deep.html', `${'<div>'.repeat(20_000)}x`);
    expect(failures).toEqual([{ externalId: 'deep.html', message: 'is nested too deeply to be read as HTML' }]);
  });
});

describe('PDF', () => {
  it('reads the pages in order, titled by the metadata', async () => {
    const { documents } = await fixture('lighthouse.pdf');
    expect(documents).toEqual([
      {
        externalId: 'lighthouse.pdf',
        title: 'Skerry Point lighthouse',
        text: 'The lamp of Skerry Point is lit\nfrom sunset to sunrise.\n\nThe fog horn sounds twice a minute.',
        url: null,
        metadata: { path: 'lighthouse.pdf', type: 'pdf', pages: 2 },
      },
    ]);
  });

  it('says that a scanned PDF has no text, and that a broken one is none', async () => {
    const scanned = await fixture('scanned.pdf');
    const broken = await written('broken.pdf', '%PDF-1.4 and nothing else');
    expect(scanned.failures[0]?.message).toMatch(/^has no text on its 1 page.*OCR/);
    expect(broken.failures[0]?.message).toMatch(/^is no readable PDF/);
  });
});

describe('CSV', () => {
  it('makes a document of each row, with quotes, line breaks and other columns kept', async () => {
    const { documents, failures } = await fixture('articles.csv');
    expect(documents).toEqual([
      {
        externalId: 'articles.csv#a-1',
        title: 'Repairing a "Dutch" bicycle',
        text: 'Loosen the axle nuts,\nthen lift the wheel out.',
        url: 'https://example.org/bicycle',
        metadata: { path: 'articles.csv', type: 'csv', section: 'repair', price: '12.50' },
      },
      {
        externalId: 'articles.csv#4',
        title: 'Without an id',
        text: 'A row is named by its line.',
        url: null,
        metadata: { path: 'articles.csv', type: 'csv', section: 'repair' },
      },
    ]);
    expect(failures).toEqual([
      { externalId: 'articles.csv#5', message: expect.stringContaining('line 5 has no "text"') },
      { externalId: 'articles.csv#6', message: expect.stringContaining('line 6 has 2 cells, expected 6') },
    ]);
  });

  it('joins the columns when none is the text, and finds out about semicolons', async () => {
    const { documents } = await fixture('mountains.csv');
    expect(documents.map(({ text }) => text)).toEqual([
      'name: Mont Ventoux\nheight: 1909',
      'name: Col du Galibier\nheight: 2642',
    ]);
  });

  it('keeps the rows around one that is not UTF-8', async () => {
    const { ids, failures } = await written(
      'mixed.csv',
      Buffer.concat([Buffer.from('id,text\n1,fine\n2,caf'), Buffer.from([0xe9]), Buffer.from('\n3,fine too\n')]),
    );
    expect(ids).toEqual(['mixed.csv#1', 'mixed.csv#3']);
    expect(failures).toEqual([
      { externalId: 'mixed.csv#3', message: expect.stringMatching(/line 3 is not valid UTF-8/) },
    ]);
  });

  it('keeps every row before a quote that is never closed', async () => {
    const rows = Array.from({ length: 3_000 }, (_, row) => `${row},text of row ${row}\n`).join('');
    const { documents, failures } = await written('open.csv', `id,text\n${rows}x,"never closed\n`);
    expect(documents).toHaveLength(3_000);
    expect(failures).toEqual([
      { externalId: 'open.csv', message: expect.stringMatching(/^is no CSV from here on.*line 3002/) },
    ]);
  });
});

describe('JSON lines', () => {
  it('reports a bad line by its number and keeps the others', async () => {
    const { documents, failures } = await fixture('notes.jsonl');
    expect(documents).toEqual([
      {
        externalId: 'notes.jsonl#17',
        title: 'Yeast',
        text: 'Sourdough rises for twelve hours at 21 degrees.',
        url: 'https://example.org/yeast',
        metadata: { path: 'notes.jsonl', type: 'jsonl', kind: 'bread', rating: 5 },
      },
      {
        externalId: 'notes.jsonl#rye',
        title: null,
        text: 'Rye dough is sticky; wet your hands.',
        url: null,
        metadata: { path: 'notes.jsonl', type: 'jsonl', author: 'Tove' },
      },
      expect.objectContaining({ externalId: 'notes.jsonl#7' }),
    ]);
    expect(failures.map(({ externalId }) => externalId)).toEqual(['notes.jsonl#3', 'notes.jsonl#5', 'notes.jsonl#6']);
    expect(failures[0]?.message).toMatch(/^line 3 is no JSON: /);
  });

  it('says what a field must be', async () => {
    const { failures } = await written(
      'types.jsonl',
      [
        '{"text": 5}',
        '{"text": "a", "id": {}}',
        '{"text": "a", "metadata": []}',
        '{"text": "a", "k": ["\\ud800"]}',
      ].join('\n'),
    );
    expect(failures.map(({ message }) => message)).toEqual([
      'line 1 "text" must be a string, got a number',
      'line 2 "id" must be a string or a number, got an object',
      'line 3 "metadata" must be an object, got a list',
      'holds half a character (a lone surrogate) in metadata.k.0',
    ]);
  });

  it('reads a file of many chunks without losing a line at their borders', async () => {
    const count = 20_000;
    const lines = Array.from({ length: count }, (_, id) =>
      JSON.stringify({ id, text: `Größe ${id} ${'ü'.repeat(id % 97)}` }),
    );
    const { documents, failures } = await written('long.jsonl', lines.join('\r\n'));
    expect(failures).toEqual([]);
    expect(documents).toHaveLength(count);
    expect(documents.every(({ text }, id) => text === `Größe ${id} ${'ü'.repeat(id % 97)}`)).toBe(true);
  });

  it('gives up on an endless line, not on the next one', async () => {
    const { ids, failures } = await written(
      'endless.jsonl',
      `{"text": "${'x'.repeat(8_100_000)}"}\n{"id": 2, "text": "kept"}\n`,
    );
    expect(ids).toEqual(['endless.jsonl#2']);
    expect(failures).toEqual([{ externalId: 'endless.jsonl#1', message: 'line 1 is longer than 8000000 bytes' }]);
  });
});

describe('folders', () => {
  it('walks them by name, without dot files, node_modules, other types and link loops', async () => {
    await mkdir(join(folder, 'guide', 'deep'), { recursive: true });
    await mkdir(join(folder, '.git'));
    await mkdir(join(folder, 'node_modules'));
    for (const path of [
      'b.md',
      'guide/deep/a.txt',
      'guide/z.TXT',
      '.git/no.md',
      '.no.md',
      'node_modules/no.md',
      'logo.png',
    ]) {
      await writeFile(join(folder, path), 'text');
    }
    await symlink(folder, join(folder, 'guide', 'loop'));
    await symlink(join(folder, 'nowhere.md'), join(folder, 'broken.md'));
    const { ids, failures, skipped } = await read(folder);
    expect(ids).toEqual(['b.md', 'guide/deep/a.txt', 'guide/z.TXT']);
    expect(failures).toEqual([{ externalId: 'broken.md', message: 'cannot be read (ENOENT)' }]);
    expect(skipped).toBe(1);
  });

  it('reports a second document with the same externalId instead of replacing the first', async () => {
    for (const name of ['one', 'two']) {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, 'readme.md'), `# ${name}`);
    }
    const { documents, failures } = await read(join(folder, 'one'), join(folder, 'two'));
    expect(documents.map(({ title }) => title)).toEqual(['one']);
    expect(failures).toEqual([{ externalId: 'readme.md', message: expect.stringContaining('same externalId') }]);
  });

  it('says which types it knows when a single file is of none', async () => {
    const { failures } = await written('logo.png', 'png');
    expect(failures).toEqual([
      { externalId: 'logo.png', message: expect.stringMatching(/^is of no known type.*\.jsonl/) },
    ]);
  });
});
