import type { Clock } from '../contracts/clock.ts';
import { type EventLog, FencedError } from '../contracts/event-log.ts';
import type { Logger } from '../contracts/logger.ts';
import type { TerminalEvent } from '../contracts/run-event.ts';
import type { RunPatch, RunStatus, RunStore } from '../contracts/run-store.ts';
import { createDeltaWriter, type DeltaWriter } from './delta-writer.ts';
import type { Executor, LiveRun, RunIo, RunResult } from './live-run.ts';
import { runErrorOf } from './run-error.ts';

interface Parts {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: RunStore;
  readonly executor: Executor;
  readonly eventLoopLagMs?: (() => number) | undefined;
}

/**
 * One attempt at a run, from RunStarted to the terminal event. The end is written to the store, with the reply, before
 * the terminal event is appended, so whoever sees the event finds everything saved. Never rejects: an attempt that was
 * fenced off stops without another word.
 */
export async function executeRun(live: LiveRun, input: unknown, parts: Parts): Promise<void> {
  const { log, logger } = parts;
  const { run } = live;
  const writer = createDeltaWriter({
    append: (events) => log.append(run, run.attempt, events),
    onError: (error) => live.abort(error),
    ...(parts.eventLoopLagMs ? { eventLoopLagMs: parts.eventLoopLagMs } : {}),
  });
  try {
    const result = await attempt(live, input, writer, parts);
    const lastSeq = await writer.flush();
    await end(live, result, lastSeq + 1, parts);
  } catch (error) {
    if (error instanceof FencedError) return;
    logger.error({ runId: run.runId, tenant: run.tenant, error }, 'a run could not be ended as it should');
    await endWithoutStore(live, error, writer, parts);
  } finally {
    await writer.close().catch(() => {});
  }
}

async function attempt(live: LiveRun, input: unknown, writer: DeltaWriter, parts: Parts): Promise<RunResult> {
  const { run } = live;
  try {
    live.signal.throwIfAborted();
    const owned = await parts.store.update(run, run.attempt, {
      status: 'RUNNING',
      startedAt: new Date(parts.clock.now()),
    });
    if (!owned) throw new FencedError(run, run.attempt);
    writer.write({ type: 'RunStarted', kind: run.kind });
    return await parts.executor(runIo(live, writer, parts.store), input);
  } catch (error) {
    return { error };
  }
}

function runIo(live: LiveRun, writer: DeltaWriter, store: RunStore): RunIo {
  const { run } = live;
  return {
    run,
    signal: live.signal,
    meter: live.meter,
    emit: (event) => writer.write(event),
    save: async (patch) => {
      if (!(await store.update(run, run.attempt, patch))) throw new FencedError(run, run.attempt);
    },
  };
}

async function end(live: LiveRun, result: RunResult, lastSeq: number, parts: Parts): Promise<void> {
  const { run, meter } = live;
  const terminal = terminalEvent(live, result);
  if (terminal.type === 'RunFailed' && terminal.error.code === 'INTERNAL') {
    parts.logger.error({ runId: run.runId, tenant: run.tenant, error: result.error }, 'a run failed');
  }
  const patch: RunPatch = {
    status: statusOf(terminal),
    finishedAt: new Date(parts.clock.now()),
    usage: meter.usage,
    lastSeq,
    ...(terminal.type === 'RunFailed' ? { error: terminal.error } : {}),
    ...(result.detail ? { detail: result.detail } : {}),
  };
  if (!(await parts.store.update(run, run.attempt, patch, result.reply))) throw new FencedError(run, run.attempt);
  await parts.log.append(run, run.attempt, [terminal]);
}

/** The store or the log refused the end: followers are still told that it is one, and the run that it has ended. */
async function endWithoutStore(
  live: LiveRun,
  error: unknown,
  writer: DeltaWriter,
  { log, store, clock }: Parts,
): Promise<void> {
  const { run, meter } = live;
  const failure = runErrorOf(error);
  const lastSeq = await writer.flush().catch(() => null);
  const patch: RunPatch = {
    status: 'FAILED',
    finishedAt: new Date(clock.now()),
    usage: meter.usage,
    error: failure,
    ...(lastSeq === null ? {} : { lastSeq: lastSeq + 1 }),
  };
  await store.update(run, run.attempt, patch).catch(() => false);
  await log.append(run, run.attempt, [{ type: 'RunFailed', error: failure, usage: meter.usage }]).catch(() => {});
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

function statusOf(terminal: TerminalEvent): RunStatus {
  switch (terminal.type) {
    case 'RunFinished':
      return 'SUCCEEDED';
    case 'RunFailed':
      return 'FAILED';
    case 'RunCancelled':
      return 'CANCELLED';
  }
}
