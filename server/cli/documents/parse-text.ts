import { basename, extname } from 'node:path';
import { maxTextBytes } from './check-document.ts';
import { decodeText } from './decode-text.ts';
import { markdownTitle } from './markdown-title.ts';
import { originOf, type Parsed, parsedDocument, type SourceFile } from './parsed.ts';
import { readFile } from './read-file.ts';

/** A Markdown or plain text file is one document, as it is written. */
export async function* parseText(file: SourceFile): AsyncGenerator<Parsed> {
  const text = decodeText(await readFile(file, maxTextBytes));
  const heading = file.type === 'md' ? markdownTitle(text) : null;
  yield parsedDocument({
    externalId: file.path,
    title: heading ?? fileTitle(file),
    text,
    url: null,
    metadata: originOf(file),
  });
}

/** The title of a document that brings none: its file's name without the extension. */
export function fileTitle(file: SourceFile): string {
  return basename(file.path, extname(file.path));
}
