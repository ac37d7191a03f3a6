import type { ConversationStore, MessageRecord } from '../contracts/conversation-store.ts';
import { GatewayError } from '../contracts/gateway-error.ts';
import { parseJsonReply } from '../models/json-reply.ts';
import type { CallOptions } from '../models/models.ts';
import type { Executor, RunIo } from '../runs/live-run.ts';
import { type SearchServices, searchAll } from '../search/search.ts';
import { type NumberedSource, numberSources } from '../text/source-prompt.ts';
import type { ChatInput, RetrievalRequest } from './chat-input.ts';
import { assertReadable, isReadable } from './check-attachment.ts';
import { generate } from './generate.ts';
import { linksOfRun } from './links-of-run.ts';
import { buildPrompt, type PromptParts, promptRoom, type Said } from './prompt.ts';
import { Reply } from './reply.ts';
import type { ResponseSchemas } from './response-schemas.ts';
import { parseReply } from './structured-reply.ts';
import { verifyAnswer } from './verify.ts';

export interface ChatServices extends SearchServices {
  readonly conversations: ConversationStore;
  readonly schemas: ResponseSchemas;
}

/** More history than this is never read; what does not fit the model's context is trimmed from it. */
const maxHistory = 200;

/**
 * One chat turn: retrieval and history side by side, then the streamed generation, then the checks that were asked for.
 * Whatever happens, what had come of the reply by then is handed back to be kept.
 */
export function chatExecutor(services: ChatServices): Executor {
  return async (io, stored) => {
    const input = stored as ChatInput; // what startChat gave to the store
    const reply = new Reply(io, services.models.chatModel(input.model).name);
    try {
      await answer(services, io, input, reply);
      return { reply: reply.message() };
    } catch (error) {
      const cancelled = io.signal.reason instanceof GatewayError && io.signal.reason.code === 'CANCELLED';
      reply.breakOff(cancelled ? 'CANCELLED' : 'ERROR');
      return reply.draft.text === '' ? { error } : { error, reply: reply.message() };
    }
  };
}

async function answer(services: ChatServices, io: RunIo, input: ChatInput, reply: Reply): Promise<void> {
  const { models } = services;
  const call: CallOptions = { tenant: io.run.tenant, payer: io.run.keyId, meter: io.meter, signal: io.signal };
  const branch = readBranch(services, io, input);
  const [sources, said] =
    input.retrieval === null
      ? [null, await branch]
      : await Promise.all([retrieve(services, input, input.retrieval, branch, call), branch]);
  const question = said.at(-1);
  if (question === undefined) {
    throw new GatewayError('NOT_FOUND', 'The conversation was deleted before its run could read it.');
  }
  const cites = sources !== null && input.responseSchema === null;
  const parts: PromptParts = { system: input.system, sources, cites, history: said.slice(0, -1), question };
  const room = promptRoom(models.chatModel(input.model), input.sampling.maxOutputTokens);
  const prompt = buildPrompt(parts, room);
  const reset = (reason: string) => reply.reset(reason);
  const generation = {
    input,
    ...prompt,
    cites,
    messageId: reply.id,
    links: linksOfRun(parts, { hasTools: false }),
    reset,
  };
  reply.start();
  await generate(models, generation, reply.draft, io, call);
  if (input.responseSchema !== null) {
    await parseReply(services, { schema: input.responseSchema, generation, parts, room }, reply, io, call);
  }
  reply.end();
  if (input.verify && prompt.sources !== null) {
    const task = { answer: reply.draft.text, sources: prompt.sources, model: input.model };
    reply.judge(await verifyAnswer(models, task, call));
  }
}

/** What was said up to and with the question: the stored branch, or what the app sent along. */
async function readBranch(
  { conversations, models }: ChatServices,
  io: RunIo,
  input: ChatInput,
): Promise<readonly Said[]> {
  const { detail, tenant } = io.run;
  if (detail.kind !== 'CHAT' || detail.conversationId === null || input.conversationId === null) {
    const sent = { role: 'USER' as const, text: input.message ?? '', attachments: input.attachments, cites: false };
    return [...(input.history ?? []).map((message) => ({ ...message, cites: mayCite(message, input) })), sent];
  }
  const window = { leaf: detail.questionId, direction: 'last', count: maxHistory, cursor: null } as const;
  const [branch] = await conversations.branches(tenant, [detail.conversationId], window, io.signal);
  const said = (branch?.messages ?? []).map(saidOf);
  const model = models.chatModel(input.model);
  // A question that is answered again brings its attachments, to a model that startChat could not compare them with.
  for (const attachment of said.at(-1)?.attachments ?? []) assertReadable(attachment, model);
  return said.map((message) => ({
    ...message,
    attachments: message.attachments.filter((attachment) => isReadable(attachment, model)),
  }));
}

async function retrieve(
  services: ChatServices,
  input: ChatInput,
  retrieval: RetrievalRequest,
  branch: Promise<readonly Said[]>,
  call: CallOptions,
): Promise<readonly NumberedSource[]> {
  // The question is in the input unless an older message is answered again; only then must retrieval wait for the branch.
  const question = input.message ?? (await branch).at(-1)?.text ?? '';
  const query = beginning(question.trim(), services.limits.maxQueryChars);
  if (query === '') throw new GatewayError('BAD_INPUT', 'retrieval needs a message to search by, got an empty text.');
  const [result] = await searchAll(services, [{ ...retrieval, query, after: null }], call);
  if (result === undefined || result instanceof Error) throw result ?? new Error('a search without a result');
  return numberSources(result.hits);
}

/** The first characters of a text, without half of one at the cut. */
function beginning(text: string, maxChars: number): string {
  const cut = text.slice(0, maxChars);
  return cut.isWellFormed() ? cut : cut.slice(0, -1);
}

/** An app's own history does not say which replies cite; JSON never does, and without sources no mark can mislead. */
function mayCite({ role, text }: Pick<Said, 'role' | 'text'>, { retrieval }: ChatInput): boolean {
  return retrieval !== null && role === 'ASSISTANT' && typeof parseJsonReply(text) !== 'object';
}

function saidOf({ role, parts, citations }: MessageRecord): Said {
  const texts = parts.flatMap((part) => (part.type === 'text' ? [part.text] : []));
  const attachments = parts.flatMap((part) => (part.type === 'attachment' ? [withoutType(part)] : []));
  return { role, text: texts.join('\n'), attachments, cites: citations.length > 0 };
}

function withoutType<T extends { readonly type: string }>({ type: _type, ...rest }: T): Omit<T, 'type'> {
  return rest;
}
