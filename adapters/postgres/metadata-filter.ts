import type { Filter } from '../../core/contracts/filter.ts';
import { type SQL, sql } from './drizzle.ts';

/**
 * A metadata filter as a condition on a jsonb column. Everything that comes from the filter is a parameter.
 *
 * Its logic has two values: a comparison with a field that is absent, or of another type, is false and never NULL, so
 * that its `not` is true.
 */
export function filterCondition(filter: Filter, metadata: SQL): SQL {
  switch (filter.op) {
    case 'all':
      return combined(filter.filters, metadata, sql` and `, sql`true`);
    case 'any':
      return combined(filter.filters, metadata, sql` or `, sql`false`);
    case 'not':
      return sql`(not ${filterCondition(filter.filter, metadata)})`;
    case 'equals':
      return sql`coalesce(${field(filter.path, metadata)} = ${JSON.stringify(filter.value)}::jsonb, false)`;
    case 'in': {
      const values = sql.param(filter.values.map((value) => JSON.stringify(value)));
      return sql`coalesce(${field(filter.path, metadata)} = any(${values}::jsonb[]), false)`;
    }
    case 'greaterThan':
      return compared(field(filter.path, metadata), sql`>`, filter.value);
    case 'lessThan':
      return compared(field(filter.path, metadata), sql`<`, filter.value);
    case 'exists':
      return filter.exists
        ? sql`(${field(filter.path, metadata)} is not null)`
        : sql`(${field(filter.path, metadata)} is null)`;
  }
}

/** The field of that name or, with dots, the one at the end of that path; a name that holds dots itself comes first. */
function field(path: string, metadata: SQL): SQL {
  const named = sql`(${metadata} -> ${path}::text)`;
  if (!path.includes('.')) return named;
  return sql`coalesce(${named}, ${metadata} #> ${sql.param(path.split('.'))}::text[])`;
}

/** Numbers compare exactly and with numbers only, strings by code point and with strings only. */
function compared(value: SQL, operator: SQL, bound: string | number): SQL {
  if (typeof bound === 'number') {
    return sql`coalesce(jsonb_typeof(${value}) = 'number' and ${value} ${operator} ${JSON.stringify(bound)}::jsonb, false)`;
  }
  return sql`coalesce(jsonb_typeof(${value}) = 'string' and (${value} #>> '{}') collate "C" ${operator} ${bound}::text, false)`;
}

function combined(filters: readonly Filter[], metadata: SQL, operator: SQL, empty: SQL): SQL {
  if (filters.length === 0) return empty;
  const conditions = filters.map((filter) => filterCondition(filter, metadata));
  return sql`(${sql.join(conditions, operator)})`;
}
