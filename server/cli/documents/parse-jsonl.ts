import { maxTextBytes } from './check-document.ts';
import { decodeText } from './decode-text.ts';
import { documentFromRecord } from './document-from-record.ts';
import { DocumentFault, type Parsed, parsedDocument, parsedFailure, type SourceFile } from './parsed.ts';
import { readLines } from './read-lines.ts';

/** JSON escapes take up to six bytes for a character; the other fields fit into what is left. */
const maxLineBytes = maxTextBytes * 2;

/** Each line is a document. A bad line is a failure of its own. Read as a stream, however long the file is. */
export async function* parseJsonl(file: SourceFile): AsyncGenerator<Parsed> {
  for await (const { number, bytes } of readLines(file.absolutePath, maxLineBytes)) {
    try {
      if (bytes === null) throw new DocumentFault(`is longer than ${maxLineBytes} bytes`);
      const line = decodeText(bytes).trim();
      if (line !== '') yield parsedDocument(documentFromRecord(recordOf(line), { file, line: number }));
    } catch (error) {
      if (!(error instanceof DocumentFault)) throw error;
      yield parsedFailure(`${file.path}#${number}`, `line ${number} ${error.message}`);
    }
  }
}

function recordOf(line: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    // It counts lines within the line, which would contradict the line number beside it.
    throw new DocumentFault(`is no JSON: ${reason.replace(/ \(line \d+ column \d+\)/u, '')}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new DocumentFault('must be a JSON object such as {"id": "1", "title": "…", "text": "…"}');
  }
  // The spread makes a record of the object without asserting anything about its values.
  return { ...value };
}
