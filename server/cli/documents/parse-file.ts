import { documentFault } from './check-document.ts';
import { parserOf } from './document-types.ts';
import { DocumentFault, type Parsed, parsedFailure, type SourceFile } from './parsed.ts';

/** What is in a file, each document checked. Whatever goes wrong is a failure of this file, never of the command. */
export async function* parseFile(file: SourceFile): AsyncGenerator<Parsed> {
  try {
    const parse = await parserOf(file.type);
    for await (const parsed of parse(file)) {
      const fault = parsed.type === 'document' ? documentFault(parsed.document) : null;
      yield fault === null || parsed.type === 'failure' ? parsed : parsedFailure(parsed.document.externalId, fault);
    }
  } catch (error) {
    yield parsedFailure(file.path, reasonOf(error));
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof DocumentFault) return error.message;
  if (!(error instanceof Error)) return `cannot be read: ${String(error)}`;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : null;
  return `cannot be read (${code ?? error.message})`;
}
