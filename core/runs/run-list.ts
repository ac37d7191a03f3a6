import { GatewayError } from '../contracts/gateway-error.ts';
import type { Page, Slice } from '../contracts/page.ts';
import type { RunFilter, RunRecord } from '../contracts/run-store.ts';

/**
 * One page of runs, newest first. Keys have the shape of the PostgreSQL list (microseconds since the epoch as text, run
 * id), so that a page of both can be merged.
 */
export function listRuns(runs: Iterable<RunRecord>, filter: RunFilter, page: Page): Slice<RunRecord> {
  const after = page.after === null ? null : parseKey(page.after);
  const matching = [...runs]
    .filter((run) => matches(run, filter))
    .map((item) => ({ item, key: keyOf(item) }))
    .filter(({ key }) => after === null || compareKeys(key, after) > 0)
    .sort((a, b) => compareKeys(a.key, b.key));
  return { items: matching.slice(0, page.first), hasNext: matching.length > page.first };
}

export function matches(run: RunRecord, { kinds, status, user }: RunFilter): boolean {
  return (
    (kinds === undefined || kinds.includes(run.kind)) &&
    (status === undefined || run.status === status) &&
    (user === undefined || run.user === user)
  );
}

export type RunListKey = readonly [microseconds: string, runId: string];

export function keyOf(run: RunRecord): RunListKey {
  return [String(run.createdAt.getTime() * 1_000), run.runId];
}

/** Positive when `a` comes after `b`: the newer one, then the higher id, stands first. */
export function compareKeys(a: RunListKey, b: RunListKey): number {
  const newer = Number(b[0]) - Number(a[0]);
  if (newer !== 0) return newer;
  if (a[1] === b[1]) return 0;
  return a[1] < b[1] ? 1 : -1;
}

export function parseKey(key: readonly (string | number)[]): RunListKey {
  const [microseconds, runId, ...rest] = key;
  if (
    typeof microseconds === 'string' &&
    /^\d{1,16}$/.test(microseconds) &&
    typeof runId === 'string' &&
    !rest.length
  ) {
    return [microseconds, runId];
  }
  throw new GatewayError('BAD_INPUT', `after: expected a cursor of this list, got the key ${JSON.stringify(key)}`);
}
