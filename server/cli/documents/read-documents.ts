import { findFiles } from './find-files.ts';
import { parseFile } from './parse-file.ts';
import { type Parsed, parsedFailure } from './parsed.ts';

/** Counts what a folder held besides documents. */
export interface SkippedFiles {
  count: number;
}

/**
 * Everything at the given paths, one after the other. Of two documents with one externalId the second is a failure: the
 * gateway would replace the first with it, and nobody would know.
 */
export async function* readDocuments(paths: readonly string[], skipped: SkippedFiles): AsyncGenerator<Parsed> {
  const seen = new Set<string>();
  for (const path of paths) {
    for await (const found of findFiles(path)) {
      if (found.type === 'skipped') skipped.count += 1;
      else if (found.type === 'failure') yield found;
      else {
        for await (const parsed of parseFile(found.file)) yield once(parsed, seen);
      }
    }
  }
}

function once(parsed: Parsed, seen: Set<string>): Parsed {
  if (parsed.type === 'failure') return parsed;
  const { externalId } = parsed.document;
  if (seen.has(externalId)) {
    return parsedFailure(
      externalId,
      'another document of this command has the same externalId and was taken: rename this one, or give their common folder',
    );
  }
  seen.add(externalId);
  return parsed;
}
