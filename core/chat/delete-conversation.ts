import type { ConversationStore } from '../contracts/conversation-store.ts';
import type { StoredRunStore } from '../contracts/run-store.ts';
import type { Runs } from '../runs/runs.ts';

/**
 * Deletes a conversation everywhere: its messages, its runs and their logs; turns that are under way are cancelled first,
 * wherever they are executed. False when there is none.
 */
export async function deleteConversation(
  services: {
    readonly conversations: ConversationStore;
    readonly storedRuns: Pick<StoredRunStore, 'underWay'>;
    readonly runs: Runs;
  },
  tenant: string,
  id: string,
  signal: AbortSignal,
): Promise<boolean> {
  const { conversations, storedRuns, runs } = services;
  const underWay = await storedRuns.underWay(tenant, id);
  await Promise.all(underWay.map((run) => runs.cancel(run, signal)));
  const gone = await conversations.delete(tenant, id);
  if (gone === null) return false;
  await Promise.all(gone.map((key) => runs.log.remove(key)));
  return true;
}
