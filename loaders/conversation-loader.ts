import DataLoader from 'dataloader';
import type { ConversationRecord, ConversationStore } from '../core/contracts/conversation-store.ts';
import { inKeyOrder, type LoaderScope } from './scope.ts';

export type ConversationLoader = DataLoader<string, ConversationRecord>;

/** Conversations by id: one statement for all that a request asks for at once. */
export function conversationLoader(store: ConversationStore, { tenant, signal }: LoaderScope): ConversationLoader {
  return new DataLoader(
    async (ids) => inKeyOrder(ids, await store.byIds(tenant, ids, signal), (item) => item.id, 'conversation'),
    { name: 'conversationLoader', maxBatchSize: 500 },
  );
}
