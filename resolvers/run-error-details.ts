import type { RunErrorRecord } from '../core/contracts/run-event.ts';

/** Null when there is nothing beside code and message. */
export function runErrorDetails({ details }: RunErrorRecord): RunErrorRecord['details'] | null {
  return Object.keys(details).length === 0 ? null : details;
}
