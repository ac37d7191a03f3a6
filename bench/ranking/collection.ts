import { readdir, readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';

/** One document of the judged collection. */
export interface JudgedDocument {
  readonly externalId: string;
  readonly title: string;
  readonly text: string;
}

export const queryKinds = ['question', 'paraphrase', 'keyword'] as const;
export type QueryKind = (typeof queryKinds)[number];

export interface JudgedQuery {
  readonly id: string;
  readonly kind: QueryKind;
  readonly text: string;
  /** externalId → 1 (touches it), 2 (answers a part), 3 (answers it). What is not named answers nothing. */
  readonly relevant: ReadonlyMap<string, number>;
}

export interface JudgedCollection {
  readonly documents: readonly JudgedDocument[];
  readonly queries: readonly JudgedQuery[];
}

const documentLine = z.strictObject({
  externalId: z.string().min(1),
  title: z.string().min(1),
  text: z.string().min(1),
});
const queryLine = z.strictObject({
  id: z.string().min(1),
  kind: z.enum(queryKinds),
  text: z.string().min(1),
  relevant: z.record(z.string(), z.int().min(1).max(3)),
});

const notesFolder = new URL('./corpus/', import.meta.url);
const docsFolder = new URL('../../docs/', import.meta.url);
const queriesFile = new URL('./queries.jsonl', import.meta.url);

/** The notes, the shipped docs, and the queries. Throws when a judgement names a document that is not there. */
export async function readCollection(): Promise<JudgedCollection> {
  const documents = [...(await readNotes()), ...(await readDocs())];
  const known = new Set(documents.map((document) => document.externalId));
  if (known.size !== documents.length) throw new Error('two documents of the collection have one externalId');
  const queries = (await readLines(queriesFile, queryLine)).map(({ relevant, ...query }) => ({
    ...query,
    relevant: new Map(Object.entries(relevant)),
  }));
  for (const { id, relevant } of queries) {
    if (relevant.size === 0) throw new Error(`query ${id} has no judgement`);
    for (const externalId of relevant.keys()) {
      if (!known.has(externalId)) throw new Error(`query ${id} judges "${externalId}", which is no document`);
    }
  }
  if (new Set(queries.map((query) => query.id)).size !== queries.length) throw new Error('two queries have one id');
  return { documents, queries };
}

async function readNotes(): Promise<JudgedDocument[]> {
  const names = (await readdir(notesFolder)).filter((name) => name.endsWith('.jsonl')).sort();
  return (await Promise.all(names.map((name) => readLines(new URL(name, notesFolder), documentLine)))).flat();
}

/** As the gateway's first start puts them in: the title is the first heading. Only the pages for users, not decisions. */
async function readDocs(): Promise<JudgedDocument[]> {
  const names = (await readdir(docsFolder)).filter((name) => name.endsWith('.md')).sort();
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(new URL(name, docsFolder), 'utf8');
      const title = /^# (.+)$/m.exec(text)?.[1];
      if (title === undefined) throw new Error(`docs/${name} has no title: expected a line that begins with "# "`);
      return { externalId: name, title, text };
    }),
  );
}

async function readLines<T>(file: URL, schema: z.ZodType<T>): Promise<T[]> {
  const lines = (await readFile(file, 'utf8')).split('\n');
  return lines.flatMap((line, index) => {
    if (line === '') return [];
    const parsed = schema.safeParse(JSON.parse(line));
    if (parsed.success) return [parsed.data];
    throw new Error(`${basename(file.pathname)}:${index + 1} ${z.prettifyError(parsed.error)}`);
  });
}
