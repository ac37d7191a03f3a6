import { randomUUID } from 'node:crypto';
import type { MessagePart, NewMessage } from '../../../core/contracts/conversation-store.ts';
import type { NewRun, NewTurn, RunRecord, RunStore } from '../../../core/contracts/run-store.ts';
import { newRun } from '../../contract/run-store.ts';
import { nextMillisecond } from '../../helpers/next-millisecond.ts';

export interface TurnOptions {
  readonly conversationId: string;
  /** Left out: the conversation exists. */
  readonly title?: string;
  readonly user?: string;
  readonly parentMessageId?: string;
  /** Left out: the parent is answered again. */
  readonly text?: string;
}

/** What a chat gives to `claim`: the run and its turn. */
export function newTurn(tenant: string, options: TurnOptions): { readonly run: NewRun; readonly turn: NewTurn } {
  const { conversationId, title, user = null, parentMessageId = null, text } = options;
  const question =
    text === undefined
      ? null
      : ({
          id: randomUUID(),
          role: 'USER',
          parts: [{ type: 'text', text }],
          object: null,
          citations: [],
          verification: null,
          finishReason: null,
          model: null,
          usage: null,
        } as const);
  return {
    run: newRun(tenant, { user }),
    turn: {
      conversation:
        title === undefined
          ? { type: 'existing', id: conversationId }
          : { type: 'new', id: conversationId, title, user },
      parentMessageId,
      question,
    },
  };
}

export function replyTo(run: RunRecord, text: string): NewMessage {
  if (run.detail.kind !== 'CHAT' || run.detail.conversationId === null) throw new Error('the run has no conversation');
  const parts: readonly MessagePart[] = [{ type: 'text', text }];
  return {
    id: run.detail.replyId,
    conversationId: run.detail.conversationId,
    parentId: run.detail.questionId,
    role: 'ASSISTANT',
    parts,
    object: { zebra: 1, a: ['x', null] },
    citations: [{ number: 1, quote: 'x', title: null, url: null, passageId: 'p' }],
    verification: { grounded: true, score: 0.75, unsupported: [], model: 'judge' },
    finishReason: 'STOP',
    model: 'm',
    usage: { inputTokens: 5, cachedInputTokens: 1, outputTokens: 7, calls: 1, costUsd: 0.1 + 0.2, estimated: false },
  };
}

export interface TurnIds {
  readonly run: RunRecord;
  readonly questionId: string;
  readonly replyId: string;
}

export async function startTurn(store: RunStore, tenant: string, options: TurnOptions): Promise<TurnIds> {
  const { run, turn } = newTurn(tenant, options);
  await nextMillisecond();
  const claimed = await store.claim(run, turn, 'instance');
  const { detail } = claimed.run;
  if (detail.kind !== 'CHAT' || detail.questionId === null) throw new Error('the run has no question');
  return { run: claimed.run, questionId: detail.questionId, replyId: detail.replyId };
}

/** A whole turn: the question, and the reply that ends its run. */
export async function chatTurn(store: RunStore, tenant: string, options: TurnOptions): Promise<TurnIds> {
  const started = await startTurn(store, tenant, options);
  const reply = replyTo(started.run, `re: ${options.text ?? 'again'}`);
  await store.update(started.run, 1, { status: 'SUCCEEDED' }, reply);
  return started;
}
