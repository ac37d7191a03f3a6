import type { IngestResult } from '../client/run-event.ts';
import type { IngestFailure } from '../documents/parsed.ts';

/** Failures beyond these are counted, not kept: a wrong file of a million lines has a million. */
const maxFailuresKept = 1_000;

/** What an ingest has come to so far, over all its runs and what could not be read. */
export class Tally {
  /** Documents sent to the gateway. */
  sent = 0;
  ingested = 0;
  unchanged = 0;
  failed = 0;
  readonly failures: IngestFailure[] = [];

  fail(failure: IngestFailure): void {
    this.failed += 1;
    if (this.failures.length < maxFailuresKept) this.failures.push(failure);
  }

  add(result: IngestResult): void {
    this.ingested += result.documentsDone;
    this.unchanged += result.documentsSkipped;
    for (const failure of result.failures) this.fail(failure);
  }
}
