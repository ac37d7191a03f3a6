import type { IngestDocument } from './parsed.ts';

/** The gateway's own default for the text of one document. */
export const maxTextCharacters = 1_000_000;
/** No text within the limit is longer in UTF-8 or UTF-16: what is need not be read. */
export const maxTextBytes = maxTextCharacters * 4;

/** Why the gateway would refuse a document; null when it would not. Found here, it costs one document and not its run. */
export function documentFault({ externalId, title, text, url, metadata }: IngestDocument): string | null {
  if (text.trim() === '') return 'has no text';
  if (text.length > maxTextCharacters) {
    return `has ${text.length} characters of text, at most ${maxTextCharacters} are allowed: split it`;
  }
  return stringFault({ externalId, title, text, url, metadata }, '');
}

/** PostgreSQL stores neither NUL nor half a surrogate pair, in a text or in JSON. */
function stringFault(value: unknown, path: string): string | null {
  if (typeof value === 'string') {
    if (value.includes('\0')) return `holds a NUL character${path === '' ? '' : ` in ${path}`}`;
    if (!value.isWellFormed()) return `holds half a character (a lone surrogate)${path === '' ? '' : ` in ${path}`}`;
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  for (const [key, inner] of Object.entries(value)) {
    const fault = stringFault(key, 'a key') ?? stringFault(inner, path === '' ? key : `${path}.${key}`);
    if (fault !== null) return fault;
  }
  return null;
}
