import type { NewMessage } from '../../core/contracts/conversation-store.ts';
import { type SQL, sql } from './drizzle.ts';

/**
 * An insert of one message per row of `source`, which must hold the lock on the message's conversation; `parentId` may be an
 * expression over it.
 *
 * The time is the clock's, or a microsecond after the conversation's newest message where the clock is too coarse or
 * was set back: a message is always newer than its parent, and two never share a time.
 */
export function insertMessage(
  tenant: string,
  message: Omit<NewMessage, 'parentId'> & { readonly parentId: string | null | SQL },
  source: SQL,
): SQL {
  return sql`insert into messages (tenant, id, conversation_id, parent_id, role, parts, object, citations, verification,
      finish_reason, model, usage, created_at)
    select ${tenant}, ${message.id}, ${message.conversationId}, ${message.parentId}, ${message.role},
      ${jsonText(message.parts)}::json, ${jsonText(message.object)}::json, ${jsonText(message.citations)}::json,
      ${jsonText(message.verification)}::json, ${message.finishReason}, ${message.model},
      ${jsonText(message.usage)}::json,
      greatest(clock_timestamp(), (
        select max(earlier.created_at) + interval '1 microsecond' from messages earlier
        where earlier.tenant = ${tenant} and earlier.conversation_id = ${message.conversationId}))
    from ${source}`;
}

/** SQL's null for null and undefined, so that a column is either a value or not there. */
export function jsonText(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value);
}
