import type { RunKey } from './event-log.ts';
import type { Json } from './filter.ts';
import type { OwnedRun } from './run-store.ts';

/**
 * What the attempts at a stored run have finished, so that the next one does not do it again. A key is kept once: what was
 * saved first stays. All of it is gone when the run has ended.
 */
export interface CheckpointStore {
  /**
   * Saves if the attempt owns the run and it has not ended; false otherwise. A key that is there already keeps its value,
   * and that is true too: the write whose confirmation was lost is made again.
   */
  save(run: OwnedRun, key: string, value: Json): Promise<boolean>;
  /** In no particular order of keys; empty for a run that has none, has ended, or is unknown. Values are as they were saved. */
  read(run: RunKey): Promise<ReadonlyMap<string, Json>>;
}
