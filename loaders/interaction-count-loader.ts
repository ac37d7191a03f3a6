import DataLoader from 'dataloader';
import type { ProfileStore } from '../core/contracts/profile-store.ts';
import type { LoaderScope } from './scope.ts';

export type InteractionCountLoader = DataLoader<string, number>;

/** How many interactions each profile has; one that has none counts 0. */
export function interactionCountLoader(store: ProfileStore, { tenant, signal }: LoaderScope): InteractionCountLoader {
  return new DataLoader(
    async (ids) => {
      const counts = await store.interactionCounts(tenant, ids, signal);
      return ids.map((id) => counts.get(id) ?? 0);
    },
    // Mutations of one operation come one after the other: each sees what the one before it has recorded.
    { name: 'interactionCountLoader', maxBatchSize: 500, cache: false },
  );
}
