import DataLoader from 'dataloader';
import type { ConversationStore, MessageRecord } from '../core/contracts/conversation-store.ts';
import { inKeyOrder, type LoaderScope } from './scope.ts';

export type MessageLoader = DataLoader<string, MessageRecord>;

/** Messages by id: one statement for all that a request asks for at once. */
export function messageLoader(store: ConversationStore, { tenant, signal }: LoaderScope): MessageLoader {
  return new DataLoader(
    async (ids) => inKeyOrder(ids, await store.messagesByIds(tenant, ids, signal), (item) => item.id, 'message'),
    { name: 'messageLoader', maxBatchSize: 500 },
  );
}
