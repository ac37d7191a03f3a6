import type { RunKey } from '../contracts/event-log.ts';

/** Ids of runs are UUIDs in the schema: none holds a line break. */
export const mapKey = ({ tenant, runId }: RunKey): string => `${tenant}\n${runId}`;
