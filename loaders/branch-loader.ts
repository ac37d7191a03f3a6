import DataLoader from 'dataloader';
import type { BranchSlice, BranchWindow, ConversationStore } from '../core/contracts/conversation-store.ts';
import { byArguments, type LoaderScope } from './scope.ts';

export interface BranchKey {
  readonly parentId: string;
  readonly window: BranchWindow;
}
export type BranchLoader = DataLoader<BranchKey, BranchSlice, string>;

/** One window of each conversation's messages: one statement per set of arguments, not per conversation. */
export function branchLoader(store: ConversationStore, { tenant, signal }: LoaderScope): BranchLoader {
  const argumentsOf = ({ window }: BranchKey): string => JSON.stringify(window);
  return new DataLoader(
    (keys) => byArguments(keys, argumentsOf, (ids, { window }) => store.branches(tenant, ids, window, signal)),
    { name: 'branchLoader', maxBatchSize: 500, cacheKeyFn: (key) => key.parentId + argumentsOf(key) },
  );
}
