/** What clients were told before the gateway was killed, and may hold it to afterwards. */
export class Ledger {
  /** Ids that clients chose; `confirmed` once the gateway has said that the run is there. */
  readonly runs: Map<string, RunEntry> = new Map();
  /** External id → the revision that a finished ingest wrote. */
  readonly written: Map<string, number> = new Map();
  readonly conversations: Set<string> = new Set();

  begin(runId: string, kind: RunEntry['kind']): RunEntry {
    const entry: RunEntry = { kind, confirmed: false, finished: false, reply: null };
    this.runs.set(runId, entry);
    return entry;
  }

  /** Of runs that were checked; what was written and said stays. */
  forgetRuns(): void {
    this.runs.clear();
  }
}

export interface RunEntry {
  readonly kind: 'CHAT' | 'INGEST';
  confirmed: boolean;
  finished: boolean;
  /** The text that was streamed to the end. */
  reply: string | null;
}
