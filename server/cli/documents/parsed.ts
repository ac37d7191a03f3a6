/** A document as `startIngest` takes it. */
export interface IngestDocument {
  readonly externalId: string;
  readonly title: string | null;
  readonly text: string;
  readonly url: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** What could not become a document. The rest of its file may still have. */
export interface IngestFailure {
  readonly externalId: string;
  readonly message: string;
}

export type Parsed =
  | { readonly type: 'document'; readonly document: IngestDocument }
  | { readonly type: 'failure'; readonly failure: IngestFailure };

/** Throws DocumentFault (or an I/O error) when the whole file is no use; yields a failure when only a part is. */
export type Parser = (file: SourceFile) => AsyncIterable<Parsed>;

/** A file that was found, not yet read. */
export interface SourceFile {
  readonly absolutePath: string;
  /** Below the given folder, with `/` on every system; the base name of a file that was given itself. */
  readonly path: string;
  readonly type: DocumentType;
  readonly bytes: number;
}

export type DocumentType = 'md' | 'txt' | 'html' | 'pdf' | 'csv' | 'jsonl';

/** Why something is no document, in words for the person who ran the command. */
export class DocumentFault extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DocumentFault';
  }
}

export function parsedDocument(document: IngestDocument): Parsed {
  return { type: 'document', document };
}

export function parsedFailure(externalId: string, message: string): Parsed {
  return { type: 'failure', failure: { externalId, message } };
}

/** What every document says about where it came from. */
export function originOf(file: SourceFile): { readonly path: string; readonly type: DocumentType } {
  return { path: file.path, type: file.type };
}
