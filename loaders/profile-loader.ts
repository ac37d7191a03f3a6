import DataLoader from 'dataloader';
import type { ProfileRecord, ProfileStore } from '../core/contracts/profile-store.ts';
import { inKeyOrder, type LoaderScope } from './scope.ts';

export type ProfileLoader = DataLoader<string, ProfileRecord>;

/** Profiles by id: one statement for all that a request asks for at once. */
export function profileLoader(store: ProfileStore, { tenant, signal }: LoaderScope): ProfileLoader {
  return new DataLoader(
    async (ids) => inKeyOrder(ids, await store.byIds(tenant, ids, signal), (item) => item.id, 'profile'),
    { name: 'profileLoader', maxBatchSize: 500 },
  );
}

/** Profiles by the app's own names. */
export function profileByExternalIdLoader(store: ProfileStore, { tenant, signal }: LoaderScope): ProfileLoader {
  return new DataLoader(
    async (externalIds) =>
      inKeyOrder(
        externalIds,
        await store.byExternalIds(tenant, externalIds, signal),
        (item) => item.externalId,
        'profile',
      ),
    { name: 'profileByExternalIdLoader', maxBatchSize: 500 },
  );
}
