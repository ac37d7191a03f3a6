import { DocumentFault, type IngestDocument, originOf, type SourceFile } from './parsed.ts';

/** One row or line, with what it needs to be named. */
export interface RecordOrigin {
  readonly file: SourceFile;
  readonly line: number;
  /** Taken when the record has no text of its own. */
  readonly fallbackText?: string;
}

/**
 * The fields of a CSV row or JSON line as a document: `externalId` or `id`, `title`, `text` (or `body`, `content`), `url`,
 * `metadata`; whatever else there is becomes metadata. Names are compared without regard to case.
 */
export function documentFromRecord(record: Readonly<Record<string, unknown>>, origin: RecordOrigin): IngestDocument {
  const rest = new Map(Object.entries(record));
  const take = (...names: string[]) => takeFirst(rest, names);
  const id = take('externalId', 'id');
  const title = optionalString('title', take('title'));
  const text = optionalString('text', take('text', 'body', 'content')) ?? origin.fallbackText;
  const url = optionalString('url', take('url'));
  const metadata = optionalObject('metadata', take('metadata'));
  if (text === undefined) throw new DocumentFault('has no "text" (nor "body" or "content")');
  return {
    externalId: `${origin.file.path}#${idOf(id) ?? origin.line}`,
    title,
    text,
    url,
    // A record's own `type` or `path` says more about it than where it was found.
    metadata: { ...originOf(origin.file), ...Object.fromEntries(rest), ...metadata },
  };
}

export const textNames: readonly string[] = ['text', 'body', 'content'];

function takeFirst(rest: Map<string, unknown>, names: readonly string[]): unknown {
  for (const name of names) {
    for (const [key, value] of rest) {
      if (key.toLowerCase() !== name.toLowerCase() || value === null || value === '') continue;
      rest.delete(key);
      return value;
    }
  }
  return undefined;
}

function idOf(value: unknown): string | null {
  if (value === undefined) return null;
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  throw new DocumentFault(`"id" must be a string or a number, got ${kindOf(value)}`);
}

function optionalString(name: string, value: unknown): string | null {
  if (value === undefined) return null;
  if (typeof value === 'string') return value;
  throw new DocumentFault(`"${name}" must be a string, got ${kindOf(value)}`);
}

function optionalObject(name: string, value: unknown): object {
  if (value === undefined) return {};
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new DocumentFault(`"${name}" must be an object, got ${kindOf(value)}`);
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
