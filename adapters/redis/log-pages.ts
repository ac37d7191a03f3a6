import type { LogGap, LoggedEvent } from '../../core/contracts/event-log.ts';
import type { RunEvent } from '../../core/contracts/run-event.ts';
import type { RedisConnection } from './connection.ts';
import type { RedisKeys } from './keys.ts';
import { pageScript } from './log-scripts.ts';

/** A stream entry as ioredis gives it: id, and fields and values in turn. */
export type StreamEntry = readonly [id: string, fields: readonly string[]];

export interface StoredPage {
  readonly gap: LogGap | null;
  /** Without a gap among them: a page ends before one. */
  readonly events: readonly LoggedEvent[];
  readonly lastSeq: number;
  readonly ended: boolean;
}

/** At most `limit` events after seq `after`, as Redis has them now. */
export async function readPage(
  connection: RedisConnection,
  keys: RedisKeys,
  name: string,
  after: number,
  limit: number,
): Promise<StoredPage> {
  const answer = await connection.run(
    pageScript,
    [keys.of('log', name), keys.of('meta', name)],
    [after, Math.max(1, limit)],
  );
  const [lastSeq, ended, entries] = answer as [string, string, StreamEntry[]]; // what the script returns
  return pageOf(entries.map(decode).slice(0, Math.max(0, limit)), after, Number(lastSeq), ended === '1');
}

export function decode([id, [, at, , event]]: StreamEntry): LoggedEvent {
  // Written by appendScript, and by nothing else: an id is `<seq>-0`, the fields are a and e.
  return { seq: Number.parseInt(id, 10), at: Number(at), event: JSON.parse(event ?? '') as RunEvent };
}

function pageOf(stored: readonly LoggedEvent[], after: number, knownLastSeq: number, ended: boolean): StoredPage {
  const lastSeq = Math.max(knownLastSeq, stored.at(-1)?.seq ?? 0);
  const first = stored[0];
  if (first === undefined) {
    // Events that the log had, and of which the stream has none any more.
    return { gap: after < lastSeq && stored.length === 0 ? { gapUntil: lastSeq } : null, events: [], lastSeq, ended };
  }
  const cut = stored.findIndex(({ seq }, index) => seq !== first.seq + index);
  const gap = first.seq > after + 1 ? { gapUntil: first.seq - 1 } : null;
  return { gap, events: cut === -1 ? stored : stored.slice(0, cut), lastSeq, ended };
}
