import type { CheckpointStore } from '../contracts/checkpoint-store.ts';
import type { Clock } from '../contracts/clock.ts';
import { type EventLog, FencedError } from '../contracts/event-log.ts';
import type { Logger } from '../contracts/logger.ts';
import type { ParkedRuns } from '../contracts/parked-runs.ts';
import { isTerminal, type TerminalEvent } from '../contracts/run-event.ts';
import type { RunObserver } from '../contracts/run-observer.ts';
import type { RunPatch, RunStore } from '../contracts/run-store.ts';
import { type AttemptLog, attemptLog } from './attempt-log.ts';
import { type Begun, nothingBegun, subjectOf, takeLog } from './begun.ts';
import { createDeltaWriter, type DeltaWriter } from './delta-writer.ts';
import type { Executor, LiveRun, RunIo, RunResult } from './live-run.ts';
import { keptReply, type ParkPatch, park } from './park.ts';
import { persist } from './persist.ts';
import { questionsOf } from './questions.ts';
import { runErrorOf } from './run-error.ts';
import { RunReport } from './run-report.ts';
import { endLog, statusOf } from './terminal.ts';
import { WorkOnce } from './work-once.ts';

interface Parts {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: RunStore;
  readonly checkpoints: CheckpointStore;
  readonly parked: ParkedRuns;
  readonly executor: Executor;
  /** Gives the run back, for another instance to go on with it. */
  readonly release: () => Promise<unknown>;
  /** Lets go of the run until what it waits for is answered. */
  readonly park: (patch: ParkPatch) => Promise<'parked' | 'claimable' | 'lost'>;
  /** Makes room for another run of its key, before anybody hears that this one has ended. Idempotent. Null: it has no such place. */
  readonly freeSlot: (() => Promise<unknown>) | null;
  readonly eventLoopLagMs?: (() => number) | undefined;
  readonly observer?: RunObserver | undefined;
  readonly recordContent?: boolean | undefined;
}

interface AttemptParts extends Parts {
  readonly report: RunReport;
  readonly ownLog: AttemptLog;
}

/**
 * One attempt at a run, up to the terminal event. The end is written to the store, with the reply, before the terminal
 * event is appended, so whoever sees the event finds everything saved. Never rejects: an attempt that was fenced off, or
 * departs, stops without another word.
 */
export async function executeRun(live: LiveRun, input: unknown, given: Parts): Promise<void> {
  const report = new RunReport(live, given.observer);
  const { run } = live;
  const ownLog = attemptLog(given, run);
  const parts = { ...given, report, ownLog };
  const { logger } = parts;
  const lost = (isRefused: boolean): void => {
    report.leaves();
    logger.warn({ runId: run.runId, tenant: run.tenant, attempt: run.attempt, isRefused }, 'an attempt lost its run');
  };
  const writer = createDeltaWriter({
    append: ownLog.append,
    onError: (error) => {
      if (!(error instanceof FencedError)) return live.abort(error);
      lost(true);
      live.depart('lost');
    },
    ...(parts.eventLoopLagMs ? { eventLoopLagMs: parts.eventLoopLagMs } : {}),
  });
  try {
    const result = await attempt(live, input, writer, parts);
    if (parts.freeSlot !== null) await parts.freeSlot();
    if (live.departure !== null) {
      const isClosed = await writer.close().catch(() => null);
      if (live.departure === 'lost' && isClosed !== null) lost(false);
      if (live.departure === 'handed-over') await parts.release();
      return;
    }
    if (result.parked !== undefined && result.error === undefined && !live.signal.aborted) {
      if (await park(live, result, writer, parts)) report.leaves();
      else lost(true);
      return;
    }
    if (parts.recordContent === true) live.trace.record(input, result.reply?.parts);
    await end(live, result, writer, parts);
  } catch (error) {
    if (error instanceof FencedError) return lost(true);
    logger.error({ runId: run.runId, tenant: run.tenant, error }, 'a run could not be ended as it should');
    await failForGood(live, error, writer, parts);
  } finally {
    await writer.close().catch(() => {});
    report.send();
  }
}

async function attempt(live: LiveRun, input: unknown, writer: DeltaWriter, parts: AttemptParts): Promise<RunResult> {
  const { run } = live;
  try {
    const begun = run.attempt === 1 ? nothingBegun : await goOn(live, parts);
    if (live.signal.aborted && run.attempt > 1 && live.departure === null) {
      return { error: live.signal.reason, ...(await keptReply(live, parts)) };
    }
    live.signal.throwIfAborted();
    if (!begun.started) writer.write({ type: 'RunStarted', kind: run.kind });
    const started = markStarted(live, writer, parts);
    const result = await parts.executor(runIo(live, begun, writer, parts), input);
    await started;
    return result;
  } catch (error) {
    if (error instanceof FencedError) live.depart('lost');
    return { error };
  }
}

/**
 * Beside the work, which does not wait for it. Only once RunStarted is in the log: a run that is marked as started and has
 * an empty log has lost that log. A store or a log that cannot be reached will be heard of at the run's end.
 */
async function markStarted(live: LiveRun, writer: DeltaWriter, { store, clock }: Parts): Promise<void> {
  const { run, signal } = live;
  try {
    await writer.flush();
    const isOwned = await persist(() => store.update(run, run.attempt, { status: 'RUNNING' }), clock, signal);
    if (!isOwned) live.depart('lost');
  } catch {
    // Nothing is lost but the mark.
  }
}

/** After an earlier attempt. Where its end is in the log and only the store has not heard of it, nothing is done again. */
async function goOn(live: LiveRun, { log, store }: Parts): Promise<Begun> {
  const { run } = live;
  const { state, begun } = await takeLog(log, run);
  if (!state.ended) return begun;
  const last = (await log.read(run, state.lastSeq - 1, 1)).events[0]?.event;
  if (last !== undefined && isTerminal(last)) {
    await store.update(run, run.attempt, { ...endOf(last), lastSeq: state.lastSeq });
  }
  throw new FencedError(run, run.attempt);
}

function runIo(live: LiveRun, begun: Begun, writer: DeltaWriter, parts: AttemptParts): RunIo {
  const { store, report, checkpoints, parked, clock } = parts;
  const { run, signal } = live;
  const flush = () => writer.flush();
  const onLost = () => live.depart('lost');
  // Most runs ask for none.
  let workOnce: WorkOnce | null = null;
  /** What this attempt has said once for all: a step that waits is gone through again when its call is answered. */
  let said: Set<string> | null = null;
  return {
    run,
    questions: run.stored ? questionsOf(run, { parked, clock, bell: live.bell, onLost }) : null,
    begun: { ...begun, hasSaid: (event) => begun.hasSaid(event) || said?.has(subjectOf(event) ?? '') === true },
    signal,
    meter: live.meter,
    emit: (event) => {
      if (event.type === 'TextMessageDelta') report.wroteText();
      const subject = subjectOf(event);
      if (subject !== null) {
        said ??= new Set();
        said.add(subject);
      }
      writer.write(event);
    },
    once: async (key, work) => {
      try {
        workOnce ??= new WorkOnce({ run, clock, signal, flush, checkpoints: run.stored ? checkpoints : null });
        return await workOnce.do(key, work);
      } catch (error) {
        // Whoever does work may take a failure in its stride. This one ends the attempt.
        if (error instanceof FencedError) onLost();
        throw error;
      }
    },
    timeLeftMs: () => live.timeLeftMs,
    hasDeparted: () => live.departure !== null,
    save: async (patch) => {
      if (!(await store.update(run, run.attempt, patch))) throw new FencedError(run, run.attempt);
    },
  };
}

async function end(live: LiveRun, result: RunResult, writer: DeltaWriter, parts: AttemptParts): Promise<void> {
  const { log, ownLog, store, clock, logger, report } = parts;
  const { run } = live;
  const terminal = terminalEvent(live, result);
  report.ends(result, terminal);
  if (terminal.type === 'RunFailed' && terminal.error.code === 'INTERNAL') {
    logger.error({ runId: run.runId, tenant: run.tenant, error: result.error }, 'a run failed');
  }
  // A log that cannot be reached does not undo what was done: the store has it, and followers are told by it.
  const lastSeq = await writer.flush().catch((error: unknown) => {
    if (error instanceof FencedError) throw error;
    return null;
  });
  const patch: RunPatch = {
    ...endOf(terminal),
    ...(lastSeq === null ? {} : { lastSeq: lastSeq + 1 }),
    ...(result.detail ? { detail: result.detail } : {}),
  };
  if (await persist(() => store.update(run, run.attempt, patch, result.reply), clock)) {
    await ownLog.end(terminal);
    return;
  }
  // Fenced off, unless it was our own write whose confirmation was lost: then its end belongs into the log.
  const [now] = await store.byRunIds(run.tenant, [run.runId]);
  if (now !== undefined && now.attempt === run.attempt) await endLog(log, now);
  else report.leaves();
}

/** The store refused the end: followers are told that it is one, and the run that it has failed. */
async function failForGood(
  live: LiveRun,
  error: unknown,
  writer: DeltaWriter,
  { ownLog, store, clock, report }: AttemptParts,
): Promise<void> {
  const { run, meter } = live;
  const terminal: TerminalEvent = { type: 'RunFailed', error: runErrorOf(error), usage: meter.usage };
  report.ends({}, terminal);
  const lastSeq = await writer.flush().catch(() => null);
  const patch: RunPatch = { ...endOf(terminal), ...(lastSeq === null ? {} : { lastSeq: lastSeq + 1 }) };
  const isWritten = await persist(() => store.update(run, run.attempt, patch), clock).catch(() => false);
  // One that the store does not know to have ended is taken over: it must not have an end in the log.
  if (isWritten) await ownLog.end(terminal).catch(() => {});
}

function terminalEvent(live: LiveRun, result: RunResult): TerminalEvent {
  const { usage } = live.meter;
  if (result.error === undefined) return { type: 'RunFinished', usage };
  // Whatever an abort made fail, the abort's reason is what happened.
  const error = runErrorOf(live.signal.aborted ? live.signal.reason : result.error);
  return error.code === 'CANCELLED'
    ? { type: 'RunCancelled', reason: error.message, usage }
    : { type: 'RunFailed', error, usage };
}

function endOf(terminal: TerminalEvent): RunPatch {
  return {
    status: statusOf(terminal),
    usage: terminal.usage,
    ...(terminal.type === 'RunFailed' ? { error: terminal.error } : {}),
  };
}
