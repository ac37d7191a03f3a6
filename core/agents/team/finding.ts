import type { CitationRecord } from '../../contracts/run-event.ts';
import type { NumberedSource } from '../../text/source-prompt.ts';

/** What a researcher, or an executor that carried something out, brings back. Plain JSON: it is kept over attempts. */
export interface Finding {
  /** `[n]` is `citations[n - 1]`. */
  readonly text: string;
  readonly citations: readonly CitationRecord[];
  /** The cited ones, each under the number of its citation. */
  readonly sources: readonly NumberedSource[];
  /** Which model wrote it. */
  readonly model: string;
  /** It rests on something; otherwise it says that nothing was found. */
  readonly answers: boolean;
  /** A further question that it says must be looked up; null: none. */
  readonly further: string | null;
}

export interface Verdict {
  readonly isAccepted: boolean;
  /** Why not, for the researcher. */
  readonly objection: string;
  readonly further: string | null;
}

/** What is known of one planned step, when the answer is written. */
export interface Found {
  readonly key: string;
  readonly title: string;
  /** As other prompts show it: see `taskText`. */
  readonly task: string;
  readonly finding: Finding;
  /** Null: nobody judged it. */
  readonly verdict: Verdict | null;
}
