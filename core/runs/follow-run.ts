import type { Clock } from '../contracts/clock.ts';
import type { EventLog, LogGap, LoggedEvent, RunKey } from '../contracts/event-log.ts';
import { GatewayError } from '../contracts/gateway-error.ts';
import type { RunRecord } from '../contracts/run-store.ts';
import { runNotFound } from './run-error.ts';
import { hasEnded, type Runs } from './runs.ts';
import { endLog, terminalOf } from './terminal.ts';

/** What a follower sees: the log's events and, in place of events that are no longer kept, one gap. */
export type FollowedEvent =
  | LoggedEvent
  | { readonly seq: number; readonly at: number; readonly event: { readonly type: 'StreamGap' } };

const runAppearsWithinMs = 5_000;
const lookEveryMs = 5_000;

/**
 * The end of a run whose process died with its log: nobody knows how far that had come, so the end is numbered past
 * whatever any reader can have seen, the same for all of them. The greatest Int of GraphQL.
 */
const lastSeqOfLostLog = 2 ** 31 - 1;

/**
 * A run's events after seq `after`, as they come, ending after the terminal event. A run that is not there yet is waited
 * for (5 s, then NOT_FOUND), so a client can follow first and start second. Following counts as watching.
 */
export async function* followRun(
  services: { readonly runs: Runs; readonly clock: Clock },
  key: RunKey,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<FollowedEvent, void, undefined> {
  const { runs, clock } = services;
  // Before the run is there: a run that finds itself unwatched when it starts would count this follower as missing.
  using _watching = runs.watch(key);
  const run = await appearance(services, key, signal);
  if (run !== null && hasEnded(run) && (await isGone(runs.log, key))) {
    yield* epilogue(run, after);
    return;
  }
  // A log that is dropped, or lost with its process, in mid-follow never ends by itself: the run's status is looked at too.
  // One signal for both, passed on by hand: composite ones cost each held stream a few kilobytes.
  const following = new AbortController();
  const leave = (): void => following.abort(signal.reason);
  if (signal.aborted) leave();
  else signal.addEventListener('abort', leave, { once: true });
  let isLost = false;
  const watchdog = endOfLostLog(services, key, following.signal).then(() => {
    isLost = true;
    following.abort();
  });
  watchdog.catch(() => {});
  let seen = after;
  try {
    for await (const entry of runs.log.follow(key, after, following.signal)) {
      const followed = isGap(entry) ? gapEvent(entry.gapUntil, clock.now()) : entry;
      seen = followed.seq;
      yield followed;
    }
  } catch (error) {
    if (signal.aborted || !isLost) throw error;
    const ended = await runs.find(key, signal);
    // One that was not stored is forgotten with its log: how it ended is not known any more, so nothing is made up.
    if (ended === null) throw runNotFound(key.runId);
    yield* epilogue(ended, seen);
  } finally {
    signal.removeEventListener('abort', leave);
    following.abort();
  }
}

/** One page of the same, at once: what `run.events` shows. */
export async function readRun(
  services: { readonly runs: Runs; readonly clock: Clock },
  run: RunRecord,
  after: number,
  first: number,
): Promise<{ readonly events: readonly FollowedEvent[]; readonly hasNext: boolean }> {
  const page = await services.runs.log.read(run, after, first);
  if (page.lastSeq === 0 && hasEnded(run)) {
    const end = [...epilogue(run, after)];
    return { events: end.slice(0, first), hasNext: end.length > first };
  }
  const gap = page.gap === null ? [] : [gapEvent(page.gap.gapUntil, services.clock.now())];
  const events = [...gap, ...page.events].slice(0, first);
  return { events, hasNext: (events.at(-1)?.seq ?? after) < page.lastSeq };
}

/** False as well when the log cannot be reached now: then it is waited for. */
async function isGone(log: EventLog, key: RunKey): Promise<boolean> {
  try {
    return (await log.read(key, 0, 1)).lastSeq === 0;
  } catch (error) {
    if (error instanceof GatewayError && error.retryable) return false;
    throw error;
  }
}

/** The run as soon as it is there; null when this process executes it: then its log is here, and nothing need be asked. */
async function appearance(
  { runs, clock }: { readonly runs: Runs; readonly clock: Clock },
  key: RunKey,
  signal: AbortSignal,
): Promise<RunRecord | null> {
  const until = clock.now() + runAppearsWithinMs;
  for (;;) {
    if (runs.isLive(key)) return null;
    const run = await runs.find(key, signal);
    if (run !== null) return run;
    if (clock.now() >= until) throw runNotFound(key.runId);
    await clock.sleep(100, signal);
  }
}

/**
 * Resolves when the run has ended and its log is gone; looks every few seconds, for as long as it is followed. A log that is
 * there and has no end long after its run has one gets it here: whoever should have written it is dead.
 */
async function endOfLostLog(
  { runs, clock }: { readonly runs: Runs; readonly clock: Clock },
  key: RunKey,
  signal: AbortSignal,
): Promise<void> {
  let hadEnded = false;
  for (;;) {
    await clock.sleep(lookEveryMs, signal);
    if (runs.isLive(key)) continue;
    try {
      const run = await runs.find(key, signal);
      if (run !== null && !hasEnded(run)) continue;
      if ((await runs.log.read(key, 0, 1)).lastSeq === 0) return;
      if (run !== null && hadEnded) await endLog(runs.log, run);
      hadEnded = true;
    } catch (error) {
      // What cannot be reached now is looked at again; the follower waits meanwhile.
      if (signal.aborted || !(error instanceof GatewayError && error.retryable)) throw error;
    }
  }
}

/** The end of a run whose log is gone: a gap for all that was, and the terminal event, rebuilt from the run's row. */
function* epilogue(run: RunRecord, after: number): Generator<FollowedEvent> {
  const last = run.lastSeq ?? lastSeqOfLostLog;
  const at = (run.finishedAt ?? run.createdAt).getTime();
  if (after >= last) return;
  if (last - 1 > after) yield gapEvent(last - 1, at);
  yield { seq: last, at, event: terminalOf(run) };
}

const gapEvent = (seq: number, at: number): FollowedEvent => ({ seq, at, event: { type: 'StreamGap' } });

function isGap(entry: LoggedEvent | LogGap): entry is LogGap {
  return 'gapUntil' in entry;
}
