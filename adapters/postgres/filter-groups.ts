import type { Filter } from '../../core/contracts/filter.ts';
import { type SQL, sql } from './drizzle.ts';
import { filterCondition } from './metadata-filter.ts';

/** A filter that some of the queries share: `condition` is over `documents.metadata`, null for no filter. */
export interface FilterGroup {
  readonly group: number;
  readonly condition: SQL | null;
}

/** Queries with one filter share a branch of each leg. */
export function filterGroups(queries: readonly { readonly filter: Filter | null }[]): {
  groups: FilterGroup[];
  groupOf: number[];
} {
  const groups = new Map<string, FilterGroup>();
  const groupOf = queries.map(({ filter }) => {
    const key = JSON.stringify(filter);
    const known = groups.get(key);
    if (known) return known.group;
    const condition = filter && filterCondition(filter, sql`documents.metadata`);
    groups.set(key, { group: groups.size, condition });
    return groups.size - 1;
  });
  return { groups: [...groups.values()], groupOf };
}
