import type { Usage } from '../../core/contracts/usage.ts';
import type { UsageEntry, UsageStore } from '../../core/contracts/usage-store.ts';
import { noUsage } from '../../core/models/usage/usage-meter.ts';
import type { Database } from './database.ts';
import { type SQL, sql } from './drizzle.ts';

interface SumRow {
  readonly input_tokens: string | null;
  readonly cached_input_tokens: string | null;
  readonly output_tokens: string | null;
  readonly calls: string | null;
  readonly cost_usd: number | null;
  readonly estimated: boolean | null;
}

export function postgresUsageStore(database: Database): UsageStore {
  return {
    async add(entries) {
      if (entries.length === 0) return;
      await database.query('add-usage', upsert(entries));
    },

    async report(tenant, since, signal) {
      const rows = await database.query<SumRow & { model: string | null; day: string | null }>(
        'usage-report',
        reportStatement(tenant, since),
        signal,
      );
      const total = rows.find((row) => row.model === null && row.day === null);
      return {
        total: total === undefined ? noUsage : usageOf(total),
        byModel: rows.flatMap((row) => (row.model === null ? [] : [{ model: row.model, usage: usageOf(row) }])),
        byDay: rows.flatMap((row) => (row.day === null ? [] : [{ day: row.day, usage: usageOf(row) }])),
      };
    },
  };
}

function upsert(entries: readonly UsageEntry[]): SQL {
  // Ordered by key, so that two instances that write the same rows never wait for each other in a circle.
  const rows = entries
    .map(({ tenant, model, at, usage }) => ({ tenant, model, minute: new Date(at).toISOString(), ...usage }))
    .sort((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1));
  return sql`
    insert into usage
    select tenant, model, minute, "inputTokens", "cachedInputTokens", "outputTokens", calls, "costUsd", estimated
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as entry(
      tenant text, model text, minute timestamptz, "inputTokens" bigint, "cachedInputTokens" bigint,
      "outputTokens" bigint, calls bigint, "costUsd" double precision, estimated boolean)
    on conflict (tenant, minute, model) do update set
      input_tokens = usage.input_tokens + excluded.input_tokens,
      cached_input_tokens = usage.cached_input_tokens + excluded.cached_input_tokens,
      output_tokens = usage.output_tokens + excluded.output_tokens,
      calls = usage.calls + excluded.calls,
      cost_usd = usage.cost_usd + excluded.cost_usd,
      estimated = usage.estimated or excluded.estimated`;
}

/** By its number: PostgreSQL does not read the years 0 and 10000 as JavaScript writes them. */
function reportStatement(tenant: string, since: Date | null): SQL {
  const from =
    since === null ? sql`true` : sql`minute >= date_trunc('minute', to_timestamp(${since.getTime() / 1000}::float8))`;
  return sql`
    select model, day, sum(input_tokens) as input_tokens, sum(cached_input_tokens) as cached_input_tokens,
      sum(output_tokens) as output_tokens, sum(calls) as calls,
      case when count(*) = count(cost_usd) then sum(cost_usd) end as cost_usd, bool_or(estimated) as estimated
    from (
      select *, to_char(minute at time zone 'UTC', 'YYYY-MM-DD') as day
      from usage where tenant = ${tenant} and ${from}
    ) as spent
    group by grouping sets ((), (model), (day))
    order by model, day`;
}

function usageOf(row: SumRow): Usage {
  return {
    inputTokens: Number(row.input_tokens ?? 0),
    cachedInputTokens: Number(row.cached_input_tokens ?? 0),
    outputTokens: Number(row.output_tokens ?? 0),
    calls: Number(row.calls ?? 0),
    costUsd: row.calls === null ? 0 : row.cost_usd,
    estimated: row.estimated ?? false,
  };
}
