import type { CheckpointStore } from '../contracts/checkpoint-store.ts';
import type { Clock } from '../contracts/clock.ts';
import type { NewMessage } from '../contracts/conversation-store.ts';
import type { Json } from '../contracts/filter.ts';
import type { RunPatch } from '../contracts/run-store.ts';
import type { DeltaWriter } from './delta-writer.ts';
import type { LiveRun, RunResult } from './live-run.ts';
import { persist } from './persist.ts';
import { runErrorOf } from './run-error.ts';

export type ParkPatch = Pick<RunPatch, 'usage' | 'detail'>;

interface ParkParts {
  readonly clock: Clock;
  readonly checkpoints: CheckpointStore;
  /** Lets go of the run until what it waits for is answered. */
  readonly park: (patch: ParkPatch) => Promise<'parked' | 'claimable' | 'lost'>;
}

/** Where a reply so far is kept while its run is parked. */
const replySoFar = 'reply so far';

/** Everything is in the log and in the row before anybody can answer, or the next attempt begin. False: the run is another's. */
export async function park(
  { run, meter }: LiveRun,
  { detail, reply, parked }: RunResult,
  writer: DeltaWriter,
  { clock, checkpoints, park }: ParkParts,
): Promise<boolean> {
  if (parked !== undefined) writer.write({ type: 'RunParked', runStatus: parked, usage: meter.usage });
  await writer.close();
  // What there is of a reply, for a run that is ended while it waits: then nobody executes it again.
  if (reply !== undefined)
    await persist(() => checkpoints.save(run, `${replySoFar} ${run.attempt}`, jsonOf(reply)), clock);
  const patch = { usage: meter.usage, ...(detail ? { detail } : {}) };
  return (await persist(() => park(patch), clock)) !== 'lost';
}

const jsonOf = (reply: NewMessage): Json => JSON.parse(JSON.stringify(reply));

/** The reply of a run that was parked, and is ended without being gone on with. */
export async function keptReply(
  { run, signal }: LiveRun,
  { checkpoints }: Pick<ParkParts, 'checkpoints'>,
): Promise<Pick<RunResult, 'reply'>> {
  const kept = await checkpoints.read(run);
  let attempt = run.attempt - 1;
  while (attempt > 0 && !kept.has(`${replySoFar} ${attempt}`)) attempt -= 1;
  const reply = kept.get(`${replySoFar} ${attempt}`) as NewMessage | undefined; // what `park` kept
  const finishReason = runErrorOf(signal.reason).code === 'CANCELLED' ? 'CANCELLED' : 'ERROR';
  return reply === undefined ? {} : { reply: { ...reply, finishReason } };
}
