import { access } from 'node:fs/promises';
import { connectionFrom } from '../client/connection.ts';
import type { CommandContext } from '../command-context.ts';
import { CommandError, Interrupted, usageError } from '../command-error.ts';
import { readDocuments, type SkippedFiles } from '../documents/read-documents.ts';
import { ingestAll } from '../ingest/ingest-all.ts';
import { createProgress } from '../ingest/progress.ts';
import { Tally } from '../ingest/tally.ts';
import { interruptible } from '../interruptible.ts';
import { printableLine } from '../printable.ts';

export interface IngestOptions {
  readonly in: string;
  readonly url?: string;
  readonly apiKey?: string;
}

/** `sluice ingest`: progress and failures on stderr, one line of summary on stdout. */
export async function ingest(paths: readonly string[], options: IngestOptions, context: CommandContext): Promise<void> {
  const { stderr, stdout } = context;
  const connection = connectionFrom(options, context.env);
  // A mistyped path is said before anything is sent.
  for (const path of paths) {
    await access(path).catch(() => {
      throw usageError(`there is no file or folder ${path}, or it may not be read`);
    });
  }
  const tally = new Tally();
  const skipped: SkippedFiles = { count: 0 };
  const progress = createProgress(stderr);
  const note = (line: string) => void stderr.write(`${printableLine(line)}\n`);
  const end = () => {
    progress.stop();
    if (skipped.count > 0) note(`skipped ${skipped.count} file(s) of other types`);
    for (const { externalId, message } of tally.failures) note(`failed: ${externalId}: ${message}`);
    const untold = tally.failed - tally.failures.length;
    if (untold > 0) note(`failed: ${untold} more`);
  };
  try {
    const parsed = readDocuments(paths, skipped);
    await interruptible((signal) => ingestAll({ connection, in: options.in, progress, note }, parsed, tally, signal));
  } catch (error) {
    end();
    throw stopped(error, tally);
  }
  end();
  stdout.write(`${summary(tally, options.in)}\n`);
  if (tally.failed > 0) throw new CommandError(`${tally.failed} document(s) failed: see above`);
  if (tally.sent === 0) throw new CommandError('found no documents: give md, txt, html, pdf, csv or jsonl files');
}

function summary({ ingested, unchanged, failed }: Tally, collection: string): string {
  return `ingested ${ingested} document(s) into "${collection}", ${unchanged} unchanged, ${failed} failed`;
}

/** The same error with what is already done, so that nobody fears for it. */
function stopped(error: unknown, { ingested, sent }: Tally): unknown {
  if (sent === 0 || !(error instanceof CommandError)) return error;
  const sofar = `${ingested} document(s) are ingested, the same command goes on from there`;
  if (error instanceof Interrupted) return new Interrupted(`interrupted: ${sofar}`);
  return new CommandError(`${error.message} (${sofar})`, { exitCode: error.exitCode, code: error.code, cause: error });
}
