import type { ConversationStore } from '../../core/contracts/conversation-store.ts';
import { isTerminal, type TerminalEvent } from '../../core/contracts/run-event.ts';
import type { RunRecord } from '../../core/contracts/run-store.ts';
import type { Usage } from '../../core/contracts/usage.ts';
import { type FollowedEvent, followRun, readRun } from '../../core/runs/follow-run.ts';
import type { Services } from '../../core/services.ts';
import type { AgUiEvent } from './events.ts';
import type { SavedReply } from './told-texts.ts';
import { type TranslatedRun, Translation } from './translation.ts';

type FollowServices = Pick<Services, 'runs' | 'clock' | 'parkedRuns'> & { readonly conversations: ConversationStore };

/** What one event of the run became. Whoever has all of it has seen the run up to and with `seq`. */
export interface Translated {
  readonly seq: number;
  readonly events: readonly AgUiEvent[];
}

const pageSize = 500;

/**
 * The run as a whole stream of AG-UI, from after `from` to its end: each stream begins with RUN_STARTED and ends with the
 * run's end, so that one which resumes is in order by itself.
 */
export async function* translatedRun(
  services: FollowServices,
  run: RunRecord,
  asClientKnowsIt: TranslatedRun,
  from: number,
  signal: AbortSignal,
): AsyncGenerator<Translated, void, undefined> {
  const translation = new Translation(asClientKnowsIt);
  const { continuesAfter, protocolVersion } = asClientKnowsIt;
  const ended = await catchUp(services, run, translation, { from, continuesAfter });
  yield { seq: from, events: translation.start() };
  /** Null: the run has gone on after that place, waits for nobody, or the client could not be told whom it has to ask. */
  const parkedAt = async (seq: number, usage: Usage | null): Promise<AgUiEvent[] | null> => {
    if ((await services.runs.log.read(run, seq, 1)).lastSeq > seq) return null;
    const waiting = await services.parkedRuns.unanswered(run.tenant, [run.runId], signal);
    const isKnown = protocolVersion !== null || waiting.every(({ awaits }) => awaits === 'AWAITING_TOOL_RESULT');
    return waiting.length > 0 && isKnown ? translation.park(usage, waiting) : null;
  };
  const end = async (event: TerminalEvent): Promise<AgUiEvent[]> =>
    translation.end(event, translation.lost ? await savedReply(services, run, signal) : null);
  if (ended !== null) {
    yield { seq: from, events: await end(ended) };
    return;
  }
  const waiting = from > 0 || isParked(run) ? await services.runs.find(run, signal) : null;
  if (waiting !== null && isParked(waiting)) {
    // Nothing more comes before the rest is answered; where the log was lost, nothing says so either.
    const events = await parkedAt(from, from > 0 && from === continuesAfter ? null : waiting.usage);
    if (events !== null) return yield { seq: from, events };
  }
  for await (const { seq, at, event } of followRun(services, run, from, signal)) {
    const waits = event.type === 'RunParked' ? await parkedAt(seq, event.usage) : null;
    const events =
      waits ?? (isEnd(event) ? await end(event) : event.type === 'RunParked' ? [] : translation.take(event));
    yield { seq, events: events.map((translated) => ({ ...translated, timestamp: at })) };
    if (waits !== null) return;
  }
}

/** Takes what the client has seen already, silently; returns the run's end when that is among it. */
async function catchUp(
  services: FollowServices,
  run: RunRecord,
  translation: Translation,
  { from, continuesAfter }: { readonly from: number; readonly continuesAfter: number },
): Promise<TerminalEvent | null> {
  for (let seen = 0; seen < from; ) {
    const { events } = await readRun(services, run, seen, Math.min(pageSize, from - seen));
    for (const { seq, event } of events) {
      if (seq > from) return null; // a gap that reaches past the cursor: following begins with it too
      if (isEnd(event)) return event;
      // Others have ended no stream before this one.
      if (event.type !== 'RunParked' || seq === continuesAfter) translation.take(event);
    }
    const last = events.at(-1);
    if (last === undefined) return null;
    seen = last.seq;
  }
  return null;
}

function isParked({ status }: RunRecord): boolean {
  return status === 'AWAITING_APPROVAL' || status === 'AWAITING_TOOL_RESULT';
}

function isEnd(event: FollowedEvent['event']): event is TerminalEvent {
  return event.type !== 'StreamGap' && isTerminal(event);
}

/** The reply of a run that has ended; null when nothing was kept. */
async function savedReply(
  { runs, conversations }: FollowServices,
  run: RunRecord,
  signal: AbortSignal,
): Promise<SavedReply | null> {
  const { detail, stored, tenant } = run;
  if (detail.kind === 'AGENT') return await savedOutput(runs, run);
  if (detail.kind !== 'CHAT') return null;
  const message = stored
    ? (await conversations.messagesByIds(tenant, [detail.replyId], signal))[0]
    : await runs.unstoredReply(run);
  if (message == null) return null;
  const { id, parts, citations, finishReason } = message;
  const text = parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('');
  return { id, text, citations, finishReason };
}

/** Of the run as it has ended: the one at hand may be as it began. */
async function savedOutput(runs: FollowServices['runs'], run: RunRecord): Promise<SavedReply | null> {
  const ended = await runs.find(run);
  if (ended?.detail.kind !== 'AGENT' || ended.detail.output === null) return null;
  const { output, outputId } = ended.detail;
  const { text, citations, finishReason } = output;
  return { id: outputId, text, citations, finishReason };
}
