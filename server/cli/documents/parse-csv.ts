import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { maxTextBytes } from './check-document.ts';
import { decodeText } from './decode-text.ts';
import { documentFromRecord, textNames } from './document-from-record.ts';
import { DocumentFault, type Parsed, parsedDocument, parsedFailure, type SourceFile } from './parsed.ts';

interface CsvRow {
  readonly record: readonly Uint8Array[];
  /** `lines`: how many were read when the row was complete. */
  readonly info: { readonly lines: number };
}

/** Each row is a document; the first row names the columns. Read as a stream, however long the file is. */
export async function* parseCsv(file: SourceFile): AsyncGenerator<Parsed> {
  let columns: readonly string[] | null = null;
  for await (const { record, info } of rows(file, await delimiterOf(file))) {
    try {
      const cells = record.map((cell) => decodeText(cell));
      if (columns === null) columns = header(cells);
      else yield parsedDocument(rowDocument(columns, cells, file, info.lines));
    } catch (error) {
      if (columns === null || !(error instanceof DocumentFault)) throw error;
      yield parsedFailure(`${file.path}#${info.lines}`, `the row that ends in line ${info.lines} ${error.message}`);
    }
  }
  if (columns === null) throw new DocumentFault('is empty');
}

async function* rows(file: SourceFile, delimiter: string): AsyncGenerator<CsvRow> {
  const parser = parse({
    bom: true,
    delimiter,
    // Cells stay bytes, so that invalid UTF-8 is a failure of its row and not a replacement character.
    encoding: null,
    info: true,
    max_record_size: maxTextBytes,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
  });
  pipeline(createReadStream(file.absolutePath), parser, () => {
    // The loop below throws the same error; without a callback it would be thrown here as well.
  });
  try {
    yield* parser;
  } catch (error) {
    if (error instanceof CsvError) throw new DocumentFault(`is no CSV from here on: ${error.message}`);
    throw error;
  }
}

function header(cells: readonly string[]): readonly string[] {
  const columns = cells.map((cell) => cell.trim());
  const twice = columns.find((column, index) => columns.indexOf(column) !== index);
  if (twice !== undefined) throw new DocumentFault(`has two columns named "${twice}"`);
  return columns;
}

function rowDocument(columns: readonly string[], cells: readonly string[], file: SourceFile, line: number) {
  if (cells.length !== columns.length) {
    throw new DocumentFault(`has ${cells.length} cells, expected ${columns.length} as in the header`);
  }
  const filled = columns
    .map((column, index): [string, string] => [column, cells[index] ?? ''])
    .filter(([, cell]) => cell.trim() !== '');
  const hasText = columns.some((column) => textNames.includes(column.toLowerCase()));
  const fallbackText = filled.map(([column, cell]) => `${column}: ${cell}`).join('\n');
  return documentFromRecord(Object.fromEntries(filled), { file, line, ...(hasText ? {} : { fallbackText }) });
}

/** Spreadsheets of many countries write `;`: the one that the header has most of, `,` when it has none. */
async function delimiterOf(file: SourceFile): Promise<string> {
  await using handle = await open(file.absolutePath);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(65_536), 0, 65_536, 0);
  const firstLine =
    buffer
      .toString('latin1', 0, bytesRead)
      .split(/\r?\n/u, 1)[0]
      ?.replace(/"[^"]*"/gu, '') ?? '';
  const counts = [',', ';', '\t'].map((mark) => ({ mark, count: firstLine.split(mark).length }));
  return counts.reduce((best, next) => (next.count > best.count ? next : best)).mark;
}
