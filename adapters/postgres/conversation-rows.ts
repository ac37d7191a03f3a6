import type { ConversationRecord, MessageRecord } from '../../core/contracts/conversation-store.ts';
import { sql } from './drizzle.ts';
import { dateOf, microseconds } from './newest-first.ts';

/** As `conversationColumns` selects it. */
export interface ConversationRow {
  readonly id: string;
  readonly title: string | null;
  readonly end_user: string | null;
  readonly created_at: string;
  readonly updated_at: string;
}

export const conversationColumns = sql`conversations.id, conversations.title, conversations.end_user,
  ${microseconds(sql`conversations.created_at`)} as created_at,
  ${microseconds(sql`conversations.updated_at`)} as updated_at`;

export function conversationOf(row: ConversationRow): ConversationRecord {
  return {
    id: row.id,
    title: row.title,
    user: row.end_user,
    createdAt: dateOf(row.created_at),
    updatedAt: dateOf(row.updated_at),
  };
}

/** As `messageColumns` selects it. */
export interface MessageRow extends Omit<MessageRecord, 'conversationId' | 'parentId' | 'finishReason' | 'createdAt'> {
  readonly conversation_id: string;
  readonly parent_id: string | null;
  readonly finish_reason: MessageRecord['finishReason'];
  readonly created_at: string;
}

export const messageColumns = sql`messages.id, messages.conversation_id, messages.parent_id, messages.role,
  messages.parts, messages.object, messages.citations, messages.verification, messages.finish_reason, messages.model,
  messages.usage, ${microseconds(sql`messages.created_at`)} as created_at`;

export function messageOf(row: MessageRow): MessageRecord {
  return {
    id: row.id,
    conversationId: row.conversation_id,
    parentId: row.parent_id,
    role: row.role,
    parts: row.parts,
    object: row.object,
    citations: row.citations,
    verification: row.verification,
    finishReason: row.finish_reason,
    model: row.model,
    usage: row.usage,
    createdAt: dateOf(row.created_at),
  };
}
