import type { Caller } from '../access/caller.ts';
import type { CollectionStore } from '../contracts/collection-store.ts';
import type { ConversationStore, MessagePart } from '../contracts/conversation-store.ts';
import { GatewayError } from '../contracts/gateway-error.ts';
import type { NewTurn, RunRecord } from '../contracts/run-store.ts';
import type { Models } from '../models/models.ts';
import { inputHash } from '../runs/input-hash.ts';
import type { Runs } from '../runs/runs.ts';
import { collectionNotFound } from '../search/search.ts';
import { newId } from '../text/new-id.ts';
import { titleOf } from '../text/title-of.ts';
import type { Toolbox } from '../tools/toolbox.ts';
import type { ChatInput } from './chat-input.ts';
import { type ChatLimits, checkChatInput } from './check-chat-input.ts';
import type { ResponseSchemas } from './response-schemas.ts';

export interface StartChatServices {
  readonly runs: Runs;
  readonly models: Models;
  readonly collections: CollectionStore;
  readonly conversations: ConversationStore;
  readonly schemas: ResponseSchemas;
  readonly limits: ChatLimits;
  readonly toolbox: Pick<Toolbox, 'named'>;
}

/**
 * Checks the input, claims the run with its turn in one transaction, and lets it run. Nothing is spent before the claim.
 * `hasNewId`: the gateway has just made the id up.
 */
export async function startChat(
  services: StartChatServices,
  { tenant, keyId }: Caller,
  runId: string,
  input: ChatInput,
  hasNewId = false,
): Promise<RunRecord> {
  const { runs, models, limits } = services;
  checkChatInput(input, models, limits, services.toolbox);
  const { conversationId } = namesNothing(input) ? input : await lookUp(services, tenant, input);
  const turn = input.store ? newTurn(input, conversationId) : null;
  return runs.start({
    run: {
      tenant,
      runId,
      inputHash: inputHash(input),
      keyId,
      input: conversationId === null ? input : { ...input, conversationId },
      user: input.user,
      metadata: input.metadata,
      whenUnwatched: input.whenUnwatched,
      timeoutMs: input.timeoutMs ?? limits.maxRunTimeoutMs,
      detail: { kind: 'CHAT', conversationId: null, questionId: null, replyId: newId() },
    },
    stored: input.store,
    turn,
    hasNewId,
  });
}

/** Or nothing but a conversation, which is looked up with the claim. */
function namesNothing({ parentMessageId, retrieval, responseSchema, clientTools }: ChatInput): boolean {
  return parentMessageId === null && retrieval === null && responseSchema === null && clientTools.length === 0;
}

async function lookUp(
  { conversations, collections, schemas }: StartChatServices,
  tenant: string,
  input: ChatInput,
): Promise<{ readonly conversationId: string | null }> {
  const [conversationId] = await Promise.all([
    conversationOf(conversations, tenant, input),
    assertCollection(collections, tenant, input),
    input.responseSchema === null ? undefined : schemas.assertSchema(input.responseSchema),
    ...input.clientTools.map(({ parameters }, index) =>
      schemas.assertSchema(parameters, undefined, `clientTools[${index}].parameters`),
    ),
  ]);
  return { conversationId };
}

/** The conversation that is gone on with; a parent message names it too. */
async function conversationOf(
  conversations: ConversationStore,
  tenant: string,
  { conversationId, parentMessageId }: ChatInput,
): Promise<string | null> {
  if (conversationId !== null || parentMessageId === null) return conversationId;
  const [parent] = await conversations.messagesByIds(tenant, [parentMessageId]);
  if (parent === undefined) throw new GatewayError('NOT_FOUND', 'parentMessageId names no message.');
  return parent.conversationId;
}

async function assertCollection(collections: CollectionStore, tenant: string, { retrieval }: ChatInput): Promise<void> {
  if (retrieval === null) return;
  const found = await collections.byNames(tenant, [retrieval.in]);
  if (found.length === 0) throw collectionNotFound(retrieval.in);
}

function newTurn(input: ChatInput, conversationId: string | null): NewTurn {
  const { attachments, parentMessageId, beginsAnew, user, history } = input;
  // Results of the app's own tools are gone on from: what the last one says stands where a question does.
  const last = input.message === null && parentMessageId === null ? history?.at(-1) : undefined;
  const message = input.message ?? last?.text ?? null;
  const asked = input.message ?? history?.findLast(({ role }) => role === 'USER')?.text ?? null;
  return {
    conversation:
      conversationId === null
        ? { type: 'new', id: newId(), title: asked === null ? null : titleOf(asked), user }
        : { type: 'existing', id: conversationId },
    parentMessageId,
    beginsAnew,
    question:
      message === null
        ? null
        : {
            id: newId(),
            role: last === undefined ? 'USER' : 'TOOL',
            parts: [
              { type: 'text', text: message },
              ...attachments.map((attachment): MessagePart => ({ type: 'attachment', ...attachment })),
            ],
            object: null,
            citations: [],
            verification: null,
            finishReason: null,
            model: null,
            usage: null,
          },
  };
}
