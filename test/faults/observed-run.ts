/** An event as the harness selects it. */
export interface SeenEvent {
  readonly __typename: string;
  readonly seq: number;
  readonly cursor: string;
  readonly messageId?: string;
  readonly delta?: string;
  readonly error?: { readonly code: string; readonly message: string; readonly retryable: boolean };
}

export const followQuery = `subscription FaultsFollow($runId: UUID!, $after: String) {
  event: runEvents(runId: $runId, after: $after) {
    __typename seq cursor
    ... on TextMessageDelta { messageId delta }
    ... on TextMessageReset { messageId }
    ... on RunFailed { error { code message retryable } }
  }
}`;

/** What the run's row says in the end. */
export interface SavedRun {
  readonly status: string;
  readonly reply?: { readonly text: string } | null;
}

export const savedQuery = `query FaultsSaved($runId: UUID!) {
  run(runId: $runId) { status ... on ChatRun { reply { text } } }
}`;

const terminalOf: Readonly<Record<string, string>> = {
  SUCCEEDED: 'RunFinished',
  FAILED: 'RunFailed',
  CANCELLED: 'RunCancelled',
};

/**
 * What is wrong with what one client saw of a run, beside what was saved; nothing when all is right. Seqs go up by one; a
 * gap, which only a log that was lost may have, stands for what it says; the last event is the one terminal event, of the
 * saved status; and the text, begun again wherever it was reset, is the saved reply.
 */
export function wrongs(events: readonly SeenEvent[], saved: SavedRun | null, mayHaveGaps: boolean): string[] {
  const found: string[] = [];
  let last = 0;
  for (const { __typename, seq } of events) {
    if (__typename === 'StreamGap') {
      if (!mayHaveGaps) found.push(`a gap up to ${seq} after ${last}`);
      if (seq <= last) found.push(`a gap back to ${seq} after ${last}`);
    } else if (seq !== last + 1) {
      found.push(`${__typename} ${seq} after ${last}`);
    }
    last = seq;
  }
  const terminals = events.filter(({ __typename }) => /^Run(Finished|Failed|Cancelled)$/.test(__typename));
  const end = events.at(-1)?.__typename;
  if (terminals.length !== 1 || terminals[0] !== events.at(-1))
    found.push(`${terminals.length} ends, the last event is ${end}`);
  if (saved === null) return [...found, 'the run is not there'];
  if (terminalOf[saved.status] !== end) found.push(`the run is ${saved.status}, its last event ${end}`);
  if (saved.status === 'SUCCEEDED' && saved.reply !== undefined) {
    const text = textOf(events);
    if (text !== null && text !== saved.reply?.text) {
      found.push(
        `the text seen (${text.length}) is not the reply saved (${saved.reply?.text.length}): ${difference(text, saved.reply?.text ?? '')}`,
      );
    }
  }
  return found;
}

/** Null when a gap has taken a part of it that no reset gave back. */
export function textOf(events: readonly SeenEvent[]): string | null {
  let text: string | null = '';
  for (const event of events) {
    if (event.__typename === 'StreamGap') text = null;
    else if (event.__typename === 'TextMessageReset') text = '';
    else if (event.__typename === 'TextMessageDelta' && text !== null) text += event.delta ?? '';
  }
  return text;
}

function difference(seen: string, saved: string): string {
  let at = 0;
  while (at < seen.length && seen[at] === saved[at]) at += 1;
  return `at ${at} "${seen.slice(at, at + 30)}" and "${saved.slice(at, at + 30)}"`;
}
