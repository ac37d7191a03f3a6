import { GatewayError } from '../../core/contracts/gateway-error.ts';
import type { MessageRole } from '../../core/contracts/model-provider.ts';
import type { NewRun, NewTurn, RunRecord } from '../../core/contracts/run-store.ts';
import type { Queryable } from './database.ts';
import { sql } from './drizzle.ts';
import { insertMessage } from './insert-message.ts';
import { hasNotEnded, insertRun, type RunRow, runOf } from './run-rows.ts';

/**
 * Claims the run's id and writes its turn. Null when the id is taken: then nothing was touched. A refused turn throws,
 * and the transaction takes the run back.
 */
export async function claimWithTurn(
  transaction: Queryable,
  run: NewRun,
  turn: NewTurn,
  instance: string,
): Promise<RunRecord | null> {
  const { tenant } = run;
  const conversationId = turn.conversation.id;
  const questionId = turn.question?.id ?? turn.parentMessageId;
  if (questionId === null) throw new GatewayError('BAD_INPUT', 'message is required without a parentMessageId');
  const detail = run.detail.kind === 'INGEST' ? run.detail : { ...run.detail, conversationId, questionId };
  const [row] = await transaction.query<RunRow>('run-claim', insertRun({ ...run, detail }, instance));
  if (row === undefined) return null;
  await openConversation(transaction, tenant, turn.conversation);
  await placeQuestion(transaction, run, turn);
  return { ...runOf(row), detail };
}

/** Makes the conversation, or bumps it, which locks it: from here on its turns come one after the other. */
async function openConversation(
  transaction: Queryable,
  tenant: string,
  conversation: NewTurn['conversation'],
): Promise<void> {
  const { id } = conversation;
  if (conversation.type === 'new') {
    const made = await transaction.query(
      'conversation-insert',
      sql`insert into conversations (tenant, id, title, end_user)
        values (${tenant}, ${id}, ${conversation.title}, ${conversation.user})
        on conflict (tenant, id) do nothing returning id`,
    );
    if (made.length === 0) throw new GatewayError('CONFLICT', `there is a conversation ${id} already`);
    return;
  }
  const locked = await transaction.query(
    'conversation-lock',
    sql`update conversations set updated_at = clock_timestamp() where tenant = ${tenant} and id = ${id} returning id`,
  );
  if (locked.length === 0) throw new GatewayError('NOT_FOUND', `there is no conversation ${id}`);
}

interface TurnRow {
  readonly busy_run_id: string | null;
  readonly parent_conversation_id: string | null;
  readonly parent_role: MessageRole | null;
}

/**
 * Writes the question after the message that it follows, and then looks whether the turn was allowed: one that was not takes
 * the question back with all else. A statement of its own, after the lock: it sees what the turn before this one wrote.
 */
async function placeQuestion(transaction: Queryable, run: NewRun, turn: NewTurn): Promise<void> {
  const { tenant } = run;
  const { question, parentMessageId, beginsAnew = false } = turn;
  const conversationId = turn.conversation.id;
  const follows = beginsAnew ? sql`null` : parentMessageId === null ? sql`checked.newest_id` : sql`${parentMessageId}`;
  const written =
    question === null
      ? sql``
      : sql`, written as (${insertMessage(tenant, { ...question, conversationId, parentId: follows }, sql`checked`)})`;
  const [row] = await transaction.query<TurnRow>(
    'question-insert',
    sql`with checked as materialized (
        select
          (select runs.run_id from runs where runs.tenant = ${tenant} and runs.conversation_id = ${conversationId}
            and ${hasNotEnded} and runs.run_id <> ${run.runId} limit 1) as busy_run_id,
          (select messages.id from messages
            where messages.tenant = ${tenant} and messages.conversation_id = ${conversationId}
            order by messages.created_at desc, messages.id desc limit 1) as newest_id,
          parent.conversation_id as parent_conversation_id, parent.role as parent_role
        from (select) as one_row
        left join messages parent on parent.tenant = ${tenant} and parent.id = ${parentMessageId}
      )${written}
      select busy_run_id, parent_conversation_id, parent_role from checked`,
  );
  if (row === undefined) throw new Error('question-insert returns one row');
  if (!beginsAnew) assertAllowed(row, turn);
}

function assertAllowed(row: TurnRow, turn: NewTurn): void {
  const { parentMessageId } = turn;
  if (parentMessageId === null) {
    if (row.busy_run_id !== null) throw busy(row.busy_run_id);
    return;
  }
  if (row.parent_conversation_id === null) {
    throw new GatewayError('NOT_FOUND', `parentMessageId: there is no message ${parentMessageId}`);
  }
  if (row.parent_conversation_id !== turn.conversation.id) {
    throw new GatewayError('BAD_INPUT', `parentMessageId: message ${parentMessageId} belongs to another conversation`);
  }
  if (turn.question === null && row.parent_role !== 'USER') {
    throw new GatewayError(
      'BAD_INPUT',
      `parentMessageId: without a message it must be a USER message, to be answered again; ${parentMessageId} is ${row.parent_role}`,
    );
  }
}

function busy(runId: string): GatewayError {
  return new GatewayError(
    'CONFLICT',
    `run ${runId} of this conversation is under way: wait for its end, cancel it, or give a parentMessageId to branch`,
    { retryable: true, details: { runId } },
  );
}
