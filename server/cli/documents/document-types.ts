import { extname } from 'node:path';
import type { DocumentType, Parser } from './parsed.ts';

const typeByExtension: Readonly<Record<string, DocumentType>> = {
  '.md': 'md',
  '.markdown': 'md',
  '.txt': 'txt',
  '.text': 'txt',
  '.html': 'html',
  '.htm': 'html',
  '.pdf': 'pdf',
  '.csv': 'csv',
  '.tsv': 'csv',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
};

/** For messages. */
export const knownExtensions = Object.keys(typeByExtension).join(', ');

/** By the file's extension; null when nothing here reads it. */
export function documentTypeOf(path: string): DocumentType | null {
  return typeByExtension[extname(path).toLowerCase()] ?? null;
}

/** Imported when a file of the type comes up: the PDF reader alone takes longer to load than a search. */
export async function parserOf(type: DocumentType): Promise<Parser> {
  switch (type) {
    case 'md':
    case 'txt':
      return (await import('./parse-text.ts')).parseText;
    case 'html':
      return (await import('./parse-html.ts')).parseHtml;
    case 'pdf':
      return (await import('./parse-pdf.ts')).parsePdf;
    case 'csv':
      return (await import('./parse-csv.ts')).parseCsv;
    case 'jsonl':
      return (await import('./parse-jsonl.ts')).parseJsonl;
  }
}
