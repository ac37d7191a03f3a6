import type { Usage } from './usage.ts';

export interface UsageEntry {
  readonly tenant: string;
  readonly model: string;
  /** Milliseconds since the epoch; stored by the minute. */
  readonly at: number;
  readonly usage: Usage;
}

export interface UsageReportRecord {
  readonly total: Usage;
  readonly byModel: readonly { readonly model: string; readonly usage: Usage }[];
  /** `day` is YYYY-MM-DD in UTC, oldest first. */
  readonly byDay: readonly { readonly day: string; readonly usage: Usage }[];
}

/** What tenants spent, summed by tenant, model and minute. */
export interface UsageStore {
  /** Adds to the sums; one statement for all entries. */
  add(entries: readonly UsageEntry[]): Promise<void>;
  /** From the minute of `since` on; null: everything kept. */
  report(tenant: string, since: Date | null, signal?: AbortSignal): Promise<UsageReportRecord>;
}
