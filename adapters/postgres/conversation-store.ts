import type { ConversationStore } from '../../core/contracts/conversation-store.ts';
import { readBranches } from './branches.ts';
import {
  type ConversationRow,
  conversationColumns,
  conversationOf,
  type MessageRow,
  messageColumns,
  messageOf,
} from './conversation-rows.ts';
import type { Database } from './database.ts';
import { sql } from './drizzle.ts';
import { afterKey, sliceOf } from './newest-first.ts';

/** Conversations and their messages in PostgreSQL. They are written by runs: see postgresRunStore. */
export function postgresConversationStore(database: Database): ConversationStore {
  return {
    async byIds(tenant, ids, signal) {
      if (ids.length === 0) return [];
      const rows = await database.query<ConversationRow>(
        'conversations-by-ids',
        sql`select ${conversationColumns} from conversations
          where tenant = ${tenant} and id = any(${sql.param(ids)}::text[])`,
        signal,
      );
      return rows.map(conversationOf);
    },

    async list(tenant, user, page, signal) {
      const rows = await database.query<ConversationRow>(
        'conversations-list',
        sql`select ${conversationColumns} from conversations
          where tenant = ${tenant} ${user === null ? sql`` : sql`and end_user = ${user}`}
          ${afterKey(sql`conversations.created_at`, sql`conversations.id`, page)}
          order by conversations.created_at desc, conversations.id desc limit ${page.first + 1}`,
        signal,
      );
      return sliceOf(rows, page, conversationOf, (row) => row.id);
    },

    async messagesByIds(tenant, ids, signal) {
      if (ids.length === 0) return [];
      const rows = await database.query<MessageRow>(
        'messages-by-ids',
        sql`select ${messageColumns} from messages
          where tenant = ${tenant} and id = any(${sql.param(ids)}::text[])`,
        signal,
      );
      return rows.map(messageOf);
    },

    branches(tenant, conversationIds, window, signal) {
      return readBranches(database, tenant, conversationIds, window, signal);
    },

    async rename(tenant, id, title) {
      const [row] = await database.query<ConversationRow>(
        'conversation-rename',
        sql`update conversations set title = ${title}, updated_at = clock_timestamp()
          where tenant = ${tenant} and id = ${id} returning ${conversationColumns}`,
      );
      return row === undefined ? null : conversationOf(row);
    },

    async delete(tenant, id) {
      const rows = await database.query<{ run_id: string | null }>(
        'conversation-delete',
        sql`with gone as (
            delete from conversations where tenant = ${tenant} and id = ${id} returning id
          ), runs_gone as (
            delete from runs using gone where runs.tenant = ${tenant} and runs.conversation_id = gone.id
            returning runs.run_id
          )
          select runs_gone.run_id from gone left join runs_gone on true`,
      );
      if (rows.length === 0) return null;
      return rows.flatMap(({ run_id }) => (run_id === null ? [] : [{ tenant, runId: run_id }]));
    },
  };
}
