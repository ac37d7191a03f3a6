import type { Clock } from '../contracts/clock.ts';
import type { EventLog, RunKey } from '../contracts/event-log.ts';

/** Behind every event that a log can have: who follows from here sees nothing but the end. */
const behindAll = 2 ** 31 - 1;
/** A log may be lost, or out of reach, or its end missing: then the run itself tells. */
const lookAgainAfterMs = 2_000;

/** Resolves when a run that is executed elsewhere may have ended: its log says so, or it is time to look at the run again. */
export async function endElsewhere(
  { log, clock }: { readonly log: EventLog; readonly clock: Clock },
  key: RunKey,
  signal: AbortSignal,
): Promise<void> {
  const waiting = new AbortController();
  const until = AbortSignal.any([signal, waiting.signal]);
  const ended = (async () => {
    for await (const _event of log.follow(key, behindAll, until));
  })();
  const time = clock.sleep(lookAgainAfterMs, until);
  for (const wait of [ended, time]) wait.catch(() => {});
  try {
    await Promise.race([ended, time]);
  } finally {
    waiting.abort();
  }
}
