import type { Context } from '../context.ts';
import type { CollectionRecord } from '../core/contracts/collection-store.ts';
import type { ConversationRecord, MessageRecord } from '../core/contracts/conversation-store.ts';
import type { RunDetail, RunRecord } from '../core/contracts/run-store.ts';
import { orNull } from './found.ts';

/** Null for a run that was not stored, one without a conversation, and one whose conversation is gone. */
export async function runConversation({ detail }: RunRecord, { loaders }: Context): Promise<ConversationRecord | null> {
  if (detail.kind === 'INGEST' || detail.conversationId === null) return null;
  return orNull(loaders.conversation.load(detail.conversationId));
}

/** Waits for the end. Null when nothing had come, or when the message is gone with its conversation. */
export async function replyOf(run: RunRecord, { services, loaders, signal }: Context): Promise<MessageRecord | null> {
  const { detail, stored } = await services.runs.whenFinished(run, signal);
  if (detail.kind !== 'CHAT') return null;
  return stored ? orNull(loaders.message.load(detail.replyId)) : services.runs.unstoredReply(run);
}

export function ingestDetail({ detail, kind }: RunRecord): Extract<RunDetail, { kind: 'INGEST' }> {
  if (detail.kind === 'INGEST') return detail;
  throw new Error(`a run of kind ${kind} was read as an ingest run`);
}

export async function runCollection(run: RunRecord, { loaders }: Context): Promise<CollectionRecord | null> {
  return orNull(loaders.collection.load(ingestDetail(run).collectionId));
}
