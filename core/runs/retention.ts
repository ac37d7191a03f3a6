import type { Clock } from '../contracts/clock.ts';
import type { EventLog } from '../contracts/event-log.ts';
import type { Logger } from '../contracts/logger.ts';
import type { StoredRunStore } from '../contracts/run-store.ts';

const batchSize = 500;
/** Between two batches: others want the database too. */
const restMs = 200;
const everyMs = 600_000;

export interface RetentionParts {
  readonly store: Pick<StoredRunStore, 'purge'>;
  readonly log: Pick<EventLog, 'remove'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long a run is kept after its end. */
  readonly retentionMs: number;
}

/** Removes runs that ended long ago, in small batches, on one instance at a time; until aborted. */
export async function keepRetention(parts: RetentionParts, signal: AbortSignal): Promise<void> {
  const { clock, logger } = parts;
  while (!signal.aborted) {
    try {
      const purged = await purge(parts, signal);
      if (purged > 0) logger.info({ purged }, 'runs were purged after their retention');
    } catch (error) {
      if (!signal.aborted) logger.warn({ error }, 'runs could not be purged; it is tried again later');
    }
    // Each instance at another moment.
    await clock.sleep(everyMs * (0.5 + Math.random()), signal).catch(() => {});
  }
}

/** Once, to its end; returns how many. */
export async function purge({ store, log, clock, retentionMs }: RetentionParts, signal: AbortSignal): Promise<number> {
  let count = 0;
  for (;;) {
    signal.throwIfAborted();
    const gone = await store.purge({ endedBeforeMs: retentionMs, limit: batchSize });
    if (gone === null) return count;
    count += gone.length;
    for (const key of gone) await log.remove(key);
    if (gone.length < batchSize) return count;
    await clock.sleep(restMs, signal);
  }
}
