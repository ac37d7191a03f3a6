import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGatewayWithVendor, type TestGateway } from '../helpers/gateway.ts';
import type { VendorCall } from '../helpers/vendor/journal.ts';
import type { Vendor } from '../helpers/vendor/vendor.ts';
import { type DocumentView, ingestResult, ingestRun, startIngest, storedIn } from './search/ingest-run.ts';

const opened = new AsyncDisposableStack();
let gateway: TestGateway;
let vendor: Vendor;
beforeAll(async () => {
  ({ gateway, vendor } = opened.use(await startGatewayWithVendor()));
});
afterAll(() => opened.disposeAsync());

/** Documents of several passages each; `word` makes them unlike those of other tests. */
function documentsOf(count: number, word: string): DocumentView[] {
  return Array.from({ length: count }, (_, index) => ({
    externalId: `${word}-${index}`,
    title: `The ${word} number ${index}`,
    text: `This is ${word} document${index}. ${`It says once more what it has to say of ${word}. `.repeat(45)}The end of document${index}.`,
    metadata: { index, word },
  }));
}

/** A collection of the test's own. */
async function newCollection(): Promise<string> {
  const name = `c${randomUUID().slice(0, 8)}`;
  await gateway.data(`mutation { createCollection(input: { name: "${name}" }) { collection { id } } }`);
  return name;
}

const textsIn = ({ body }: VendorCall): readonly string[] =>
  (body as { input?: readonly string[] } | null)?.input ?? [];
const mentions = (word: string) => (call: VendorCall) =>
  call.path === '/embeddings' && textsIn(call).some((text) => text.includes(word));
const idsFound = async (collection: string, query: string): Promise<string[]> => {
  const { search } = await gateway.data<{ search: { nodes: { document: { externalId: string } }[] } }, unknown>(
    `query Found($in: String!, $query: String!) { search(in: $in, query: $query, mode: KEYWORD, first: 100) { nodes { document { externalId } } } }`,
    {
      in: collection,
      query,
    },
  );
  return search.nodes.map(({ document }) => document.externalId);
};
const errorsOf = async (query: string) =>
  (await gateway.request(query)).errors?.map(({ message, extensions }) => `${extensions.code}: ${message}`);

describe('an ingest', () => {
  it('reports its progress up to the total, and ends', async () => {
    const collection = await newCollection();
    const documents = documentsOf(40, 'walnut');
    const { events, ...run } = await ingestRun(gateway, documents, collection);
    expect(run).toMatchObject({ status: 'SUCCEEDED', documentsTotal: 40, documentsDone: 40, documentsSkipped: 0 });
    expect(run).toMatchObject({ failures: [], error: null });
    expect(run.usage.inputTokens).toBeGreaterThan(1_000);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(events[0]?.__typename).toBe('RunStarted');
    expect(events.at(-1)?.__typename).toBe('RunFinished');
    const progress = events.slice(1, -1);
    expect(progress.length).toBeGreaterThan(2);
    expect(new Set(progress.map(({ __typename, total }) => `${__typename} of ${total}`))).toEqual(
      new Set(['ProgressReported of 40']),
    );
    const done = progress.map((event) => event.done ?? 0);
    expect(done).toEqual(done.toSorted((left, right) => left - right));
    expect(done.at(-1)).toBe(40);
    // What it stored is the text itself, cut with overlaps.
    const stored = await storedIn(gateway, collection);
    expect(stored?.size).toBe(40);
    for (const { externalId, text } of documents) {
      const texts = stored?.get(externalId)?.texts ?? [];
      expect(texts.length).toBeGreaterThan(1);
      for (const passage of texts) expect(text).toContain(passage);
      expect(text.startsWith(texts[0] ?? '-') && text.endsWith(texts.at(-1) ?? '-')).toBe(true);
    }
  });

  it('skips what has not changed: nothing is embedded, nothing is written', async () => {
    const collection = await newCollection();
    const documents = documentsOf(10, 'hazel');
    await ingestRun(gateway, documents, collection);
    const before = { calls: vendor.calls('/embeddings').length, stored: await storedIn(gateway, collection) };
    const again = await ingestRun(gateway, documents, collection);
    expect(again).toMatchObject({ status: 'SUCCEEDED', documentsTotal: 10, documentsDone: 0, documentsSkipped: 10 });
    expect(again.usage.calls).toBe(0);
    expect(again.events.at(-2)).toMatchObject({ __typename: 'ProgressReported', done: 10, total: 10 });
    expect(vendor.calls('/embeddings')).toHaveLength(before.calls);
    expect(await storedIn(gateway, collection)).toEqual(before.stored);
    // The same text in another form of Unicode, with other line ends, is the same text.
    const [first] = documents;
    const form = { ...first, externalId: 'form', title: 'Café', text: 'Café au lait.\nTwo lines.' };
    const other = { ...form, title: 'Cafe\u0301', text: '\uFEFFCafe\u0301 au lait.\r\nTwo lines.  \n' };
    expect(await ingestRun(gateway, [form], collection)).toMatchObject({ documentsDone: 1 });
    expect(await ingestRun(gateway, [other], collection)).toMatchObject({ documentsDone: 0, documentsSkipped: 1 });
  });

  it('replaces a changed document with all its passages, under the id that it had', async () => {
    const collection = await newCollection();
    const [kept, changed, retitled] = documentsOf(3, 'acorn');
    if (!kept || !changed || !retitled) return expect.unreachable();
    await ingestRun(gateway, [kept, changed, retitled], collection);
    const before = await storedIn(gateway, collection);
    const run = await ingestRun(
      gateway,
      [kept, { ...changed, text: 'Only zirconium is left.' }, { ...retitled, metadata: { index: 'none' } }],
      collection,
    );
    expect(run).toMatchObject({ documentsDone: 2, documentsSkipped: 1, failures: [] });
    const after = await storedIn(gateway, collection);
    expect(after?.get(kept.externalId)).toEqual(before?.get(kept.externalId));
    const { id, createdAt, updatedAt } = before?.get(changed.externalId) ?? expect.unreachable();
    expect(after?.get(changed.externalId)).toMatchObject({ id, createdAt, texts: ['Only zirconium is left.'] });
    expect(after?.get(changed.externalId)?.updatedAt).not.toBe(updatedAt);
    expect(after?.get(retitled.externalId)?.metadata).toEqual({ index: 'none' });
    expect(await idsFound(collection, 'zirconium')).toEqual([changed.externalId]);
    expect(await idsFound(collection, 'document1')).toEqual([]);
  });

  it('started twice with one runId is one run', async () => {
    const collection = await newCollection();
    const documents = documentsOf(2, 'cashew');
    const runId = randomUUID();
    const before = vendor.calls('/embeddings').length;
    await Promise.all([1, 2, 3].map(() => startIngest(gateway, documents, collection, runId)));
    expect(await ingestResult(gateway, runId)).toMatchObject({ status: 'SUCCEEDED', documentsDone: 2 });
    expect(vendor.calls('/embeddings')).toHaveLength(before + 1);
    await expect(startIngest(gateway, documentsOf(1, 'cashew'), collection, runId)).rejects.toThrow(/CONFLICT/);
  });

  it('lists what it cannot take in failures, says why, and keeps all others', async () => {
    const collection = await newCollection();
    const good = documentsOf(3, 'pecan');
    const [first] = good;
    const bad: [DocumentView, RegExp][] = [
      [{ externalId: 'empty', text: '  \n ' }, /^text must hold at least one word/],
      [{ externalId: 'nul', text: 'a\0b' }, /^text .*NUL character at position 1/],
      [{ externalId: 'surrogate', text: 'ab\ud83d' }, /^text .*surrogate.* at position 2/],
      [{ externalId: 'title', text: 'fine', title: 'a\0' }, /^title .*NUL/],
      [{ externalId: 'metadata', text: 'fine', metadata: { key: 'a\0' } }, /^metadata.*NUL/],
      [{ externalId: 'list', text: 'fine', metadata: ['a'] }, /^metadata must be a JSON object, got a list/],
      [
        { externalId: 'long', text: 'x '.repeat(500_001) },
        /at most 1000000 characters \(limits\.maxDocumentChars\), got/,
      ],
      [{ externalId: first?.externalId ?? '', text: 'again' }, /^externalId stands twice/],
      [{ externalId: '', text: 'nameless' }, /^externalId must be 1–500 characters, got 0/],
    ];
    const run = await ingestRun(gateway, [...good, ...bad.map(([document]) => document)], collection);
    expect(run).toMatchObject({ status: 'SUCCEEDED', documentsTotal: 12, documentsDone: 3, error: null });
    expect(run.failures).toEqual(
      bad.map(([{ externalId }, message]) => ({ externalId, message: expect.stringMatching(message) })),
    );
    expect(run.events.at(-2)).toMatchObject({ __typename: 'ProgressReported', done: 12, total: 12 });
    expect([...((await storedIn(gateway, collection))?.keys() ?? [])].sort()).toEqual(
      good.map(({ externalId }) => externalId),
    );
  });
});

describe('a vendor', () => {
  it('that refuses one text fails its document alone', async () => {
    const collection = await newCollection();
    const documents = documentsOf(20, 'chestnut');
    const remove = vendor.when(mentions('document13.'), { status: 400, error: { message: 'I do not read this.' } });
    const run = await ingestRun(gateway, documents, collection);
    remove();
    expect(run).toMatchObject({ status: 'SUCCEEDED', documentsDone: 19 });
    expect(run.failures).toEqual([
      { externalId: 'chestnut-13', message: expect.stringContaining('I do not read this.') },
    ]);
    const stored = await storedIn(gateway, collection);
    expect(stored?.size).toBe(19);
    expect(stored?.has('chestnut-13')).toBe(false);
  });

  it.each([
    ['429', { status: 429, headers: { 'retry-after-ms': '20' } }],
    ['500', { status: 500 }],
    ['a cut connection', { cutAfter: 0 }],
  ])('that answers %s for a moment in mid-ingest is asked again, and nothing is lost', async (name, behaviour) => {
    const collection = await newCollection();
    const word = `almond${name.replaceAll(' ', '')}`;
    const calls: VendorCall[] = [];
    const remove = vendor.when((call) => {
      if (mentions(`${word} document20.`)(call)) calls.push(call);
      return call === calls[0];
    }, behaviour);
    const run = await ingestRun(gateway, documentsOf(24, word), collection);
    remove();
    expect(calls).toHaveLength(2);
    expect(run).toMatchObject({ status: 'SUCCEEDED', documentsDone: 24, failures: [] });
  });

  it.each([
    ['429', { status: 429, headers: { 'retry-after-ms': '20' } }, 'RATE_LIMITED'],
    ['500', { status: 500 }, 'UPSTREAM_UNAVAILABLE'],
  ])(
    'that stays away with %s ends the run; what was done stays, and the next ingest does the rest',
    async (status, behaviour, code) => {
      const collection = await newCollection();
      const word = `macadamia${status}`;
      const documents = documentsOf(40, word);
      // From the third batch on, whatever comes.
      let away = false;
      const remove = vendor.when((call) => {
        away ||= mentions(`${word} document16.`)(call);
        return away && call.path === '/embeddings';
      }, behaviour);
      const run = await ingestRun(gateway, documents, collection);
      remove();
      expect(run).toMatchObject({ status: 'FAILED', error: { code, retryable: true }, failures: [] });
      expect(run.error?.message).toContain(status);
      expect(run.events.at(-1)).toMatchObject({ __typename: 'RunFailed', error: run.error });
      expect(run.documentsDone).toBeGreaterThanOrEqual(8);
      expect(run.documentsDone).toBeLessThan(40);
      const whole = await storedIn(gateway, collection);
      expect(whole?.size).toBe(run.documentsDone);
      const again = await ingestRun(gateway, documents, collection);
      expect(again).toMatchObject({ status: 'SUCCEEDED', documentsSkipped: run.documentsDone });
      expect(again.documentsDone).toBe(40 - run.documentsDone);
      expect((await storedIn(gateway, collection))?.size).toBe(40);
    },
  );

  it('gets at most four embeddings calls at once, however many ingests run', async () => {
    await using started = await startGatewayWithVendor({ vendor: { defaults: { latencyMs: 40 } } });
    const runs = await Promise.all(
      Array.from({ length: 8 }, (_, index) => ingestRun(started.gateway, documentsOf(32, `pistachio${index}`))),
    );
    expect(runs.map(({ status, documentsDone }) => [status, documentsDone])).toEqual(
      Array.from({ length: 8 }, () => ['SUCCEEDED', 32]),
    );
    expect(started.vendor.maxConcurrent).toBeGreaterThan(1);
    expect(started.vendor.maxConcurrent).toBeLessThanOrEqual(4);
  });
});

describe('cancelRun in mid-ingest', () => {
  it('ends the provider call, and keeps whole documents only', async () => {
    const collection = await newCollection();
    const documents = documentsOf(40, 'brazil');
    const remove = vendor.when(mentions('brazil document17.'), { hold: new Promise(() => {}) });
    const before = vendor.calls('/embeddings').length;
    const runId = await startIngest(gateway, documents, collection);
    const held = await expect
      .poll(() => vendor.calls('/embeddings').slice(before).find(mentions('brazil document17.')), { timeout: 20_000 })
      .toBeDefined()
      .then(() => vendor.calls('/embeddings').slice(before).find(mentions('brazil document17.')));
    await gateway.data(`mutation { cancelRun(runId: "${runId}") { run { status } } }`);
    expect((await vendor.waitForClose(held ?? expect.unreachable())).completed).toBe(false);
    remove();
    const run = await ingestResult(gateway, runId);
    expect(run).toMatchObject({ status: 'CANCELLED', error: null, documentsTotal: 40, failures: [] });
    // The third batch of eight begins when one of the first two is done.
    expect(run.documentsDone).toBeGreaterThanOrEqual(8);
    expect(run.documentsDone).toBeLessThan(40);
    const stored = await storedIn(gateway, collection);
    expect(stored?.size).toBe(run.documentsDone);
    for (const { externalId, text } of documents) {
      const texts = stored?.get(externalId)?.texts;
      if (texts !== undefined) expect(text.endsWith(texts.at(-1) ?? '-')).toBe(true);
    }
    // It can be taken up again.
    const again = await ingestRun(gateway, documents, collection);
    expect(again).toMatchObject({ status: 'SUCCEEDED', documentsSkipped: run.documentsDone });
  });
});

describe('deleteDocuments', () => {
  const remove = async (collection: string, selection: string) =>
    (
      await gateway.data<{ deleteDocuments: { deletedCount: number } }, unknown>(
        `mutation { deleteDocuments(in: "${collection}", ${selection}) { deletedCount } }`,
      )
    ).deleteDocuments.deletedCount;

  it('by externalIds deletes those that are there, and counts them', async () => {
    const collection = await newCollection();
    await ingestRun(gateway, documentsOf(4, 'peanut'), collection);
    expect(await remove(collection, 'externalIds: ["peanut-0", "peanut-2", "peanut-9", "peanut-0"]')).toBe(2);
    expect([...((await storedIn(gateway, collection))?.keys() ?? [])].sort()).toEqual(['peanut-1', 'peanut-3']);
    expect((await idsFound(collection, 'peanut')).sort()).toEqual(['peanut-1', 'peanut-3']);
    expect(await remove(collection, 'externalIds: ["peanut-0"]')).toBe(0);
    expect(await remove(collection, 'externalIds: []')).toBe(0);
  });

  it('by filter deletes what matches, in this collection only', async () => {
    const [collection, other] = [await newCollection(), await newCollection()];
    for (const name of [collection, other]) await ingestRun(gateway, documentsOf(6, 'coconut'), name);
    expect(await remove(collection, 'filter: { field: "index", greaterThan: 3 }')).toBe(2);
    expect((await storedIn(gateway, collection))?.size).toBe(4);
    expect((await storedIn(gateway, other))?.size).toBe(6);
    // Deleted is forgotten: the same document is taken in anew.
    expect(await ingestRun(gateway, documentsOf(6, 'coconut'), collection)).toMatchObject({
      documentsDone: 2,
      documentsSkipped: 4,
    });
  });

  it.each([
    [
      'both',
      'externalIds: ["a"], filter: { field: "a", exists: true }',
      'BAD_INPUT: deleteDocuments needs exactly one of externalIds and filter, got both.',
    ],
    ['neither', '', 'BAD_INPUT: deleteDocuments needs exactly one of externalIds and filter, got neither.'],
    ['an empty filter', 'filter: {}', 'BAD_INPUT: filter must have exactly one of all, any, not and field, got none.'],
  ])('with %s is refused', async (_name, selection, error) => {
    const collection = await newCollection();
    expect(await errorsOf(`mutation { deleteDocuments(in: "${collection}" ${selection}) { deletedCount } }`)).toEqual([
      error,
    ]);
  });

  it('in a collection that is not there is NOT_FOUND', async () => {
    expect(await errorsOf(`mutation { deleteDocuments(in: "nowhere", externalIds: ["a"]) { deletedCount } }`)).toEqual([
      'NOT_FOUND: There is no collection "nowhere".',
    ]);
  });
});

describe('a collection', () => {
  it('is made once: the same name again is CONFLICT, also at the same moment, and harms nothing', async () => {
    const collection = await newCollection();
    await ingestRun(gateway, documentsOf(1, 'pine'), collection);
    const create = (name: string) =>
      errorsOf(`mutation { createCollection(input: { name: "${name}" }) { collection { id } } }`);
    expect(await create(collection)).toEqual([`CONFLICT: the collection ${collection} already exists`]);
    expect((await storedIn(gateway, collection))?.size).toBe(1);
    const raced = await Promise.all(Array.from({ length: 5 }, () => create(`${collection}-raced`)));
    expect(raced.filter((errors) => errors === undefined)).toHaveLength(1);
    expect(raced.flatMap((errors) => errors ?? [])).toEqual(
      Array.from({ length: 4 }, () => `CONFLICT: the collection ${collection}-raced already exists`),
    );
  });

  it.each(['', '.hidden', 'with space', 'a'.repeat(101), 'semi;colon'])('is not named %j', async (name) => {
    expect(await errorsOf(`mutation { createCollection(input: { name: "${name}" }) { collection { id } } }`)).toEqual([
      expect.stringMatching(/^BAD_INPUT: name must be 1–100 letters/),
    ]);
  });

  it('is deleted with all that is in it, and can be made anew, empty', async () => {
    const collection = await newCollection();
    const deletion = `mutation { deleteCollection(name: "${collection}") { deletedCount } }`;
    await ingestRun(gateway, documentsOf(3, 'beech'), collection);
    const stored = await storedIn(gateway, collection);
    expect(await gateway.data(deletion)).toEqual({ deleteCollection: { deletedCount: 3 } });
    expect(await storedIn(gateway, collection)).toBeNull();
    expect(await errorsOf(`{ search(in: "${collection}", query: "beech") { nodes { id } } }`)).toEqual([
      `NOT_FOUND: There is no collection "${collection}".`,
    ]);
    const { node } = await gateway.data<{ node: unknown }, unknown>(
      `{ node(id: "${stored?.get('beech-0')?.id}") { id } }`,
    );
    expect(node).toBeNull();
    expect(await errorsOf(deletion)).toEqual([`NOT_FOUND: There is no collection "${collection}".`]);
    await gateway.data(`mutation { createCollection(input: { name: "${collection}" }) { collection { id } } }`);
    expect((await storedIn(gateway, collection))?.size).toBe(0);
    expect(await ingestRun(gateway, documentsOf(3, 'beech'), collection)).toMatchObject({ documentsDone: 3 });
  });

  it('that is deleted in mid-ingest fails the run, and nothing of it is left', async () => {
    const collection = await newCollection();
    const gate = Promise.withResolvers<void>();
    const remove = vendor.when(mentions('linden'), { hold: gate.promise });
    const before = vendor.calls('/embeddings').length;
    const runId = await startIngest(gateway, documentsOf(4, 'linden'), collection);
    await vendor.waitForCall('/embeddings', before + 1);
    await gateway.data(`mutation { deleteCollection(name: "${collection}") { deletedCount } }`);
    gate.resolve();
    remove();
    expect(await ingestResult(gateway, runId)).toMatchObject({
      status: 'FAILED',
      documentsDone: 0,
      error: { code: 'NOT_FOUND', retryable: false },
    });
    expect(await storedIn(gateway, collection)).toBeNull();
  });
});
