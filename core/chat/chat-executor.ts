import type { ConversationStore } from '../contracts/conversation-store.ts';
import { GatewayError } from '../contracts/gateway-error.ts';
import type { ChatMessage } from '../contracts/model-provider.ts';
import type { ParkedStatus } from '../contracts/run-store.ts';
import { parseJsonReply } from '../models/json-reply.ts';
import type { CallOptions } from '../models/models.ts';
import type { Executor, RunIo } from '../runs/live-run.ts';
import { type SearchServices, search } from '../search/search.ts';
import { type NumberedSource, numberSources } from '../text/source-prompt.ts';
import { countTokens } from '../text/tokens.ts';
import { toolRules } from '../tools/result-text.ts';
import type { ChatInput, RetrievalRequest } from './chat-input.ts';
import { assertReadable, isReadable } from './check-attachment.ts';
import { generate } from './generate.ts';
import { linksOfRun } from './links-of-run.ts';
import { buildPrompt, type PromptParts, promptRoom } from './prompt.ts';
import { Reply } from './reply.ts';
import { replyWithTools, type ToolServices, toolsOf } from './reply-with-tools.ts';
import type { ResponseSchemas } from './response-schemas.ts';
import type { Said } from './said.ts';
import { saidByApp, saidIn } from './said.ts';
import { parseReply } from './structured-reply.ts';
import { verifyAnswer } from './verify.ts';

export interface ChatServices extends SearchServices, ToolServices {
  readonly conversations: ConversationStore;
  readonly schemas: ResponseSchemas;
}

/** More history than this is never read; what does not fit the model's context is trimmed from it. */
const maxHistory = 200;

const noTools: Pick<ChatInput, 'tools' | 'clientTools' | 'toolChoice'> = {
  tools: [],
  clientTools: [],
  toolChoice: null,
};

/**
 * One chat turn: retrieval and history side by side, then the streamed generation, then the checks that were asked for.
 * Whatever happens, what had come of the reply by then is handed back to be kept.
 */
export function chatExecutor(services: ChatServices): Executor {
  return async (io, stored) => {
    const input = inputOf(stored);
    const reply = new Reply(io, services.models.chatModel(input.model).name);
    try {
      const parked = await answer(services, io, input, reply);
      return { reply: reply.message(), ...(parked === null ? {} : { parked }) };
    } catch (error) {
      const cancelled = io.signal.reason instanceof GatewayError && io.signal.reason.code === 'CANCELLED';
      reply.breakOff(cancelled ? 'CANCELLED' : 'ERROR');
      return !reply.hasContent ? { error } : { error, reply: reply.message() };
    }
  };
}

/** What startChat gave to the store; a version before this one knew no tools. */
function inputOf(stored: unknown): ChatInput {
  const input = stored as ChatInput;
  return input.tools === undefined ? { ...noTools, ...input } : input;
}

/** Not null: calls wait for an answer, and the run goes on in its next attempt. */
async function answer(services: ChatServices, io: RunIo, input: ChatInput, reply: Reply): Promise<ParkedStatus | null> {
  const { models, toolbox } = services;
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
  const tools = toolsOf(toolbox, input);
  const system = tools.length === 0 ? input.system : [input.system ?? '', toolRules].join('\n\n').trim();
  let parts: PromptParts = { system, sources, cites, history: said.slice(0, -1), question };
  const ofTools = tools.length === 0 ? 0 : countTokens(JSON.stringify(tools));
  const room = promptRoom(models.chatModel(input.model), input.sampling.maxOutputTokens) - ofTools;
  const prompt = buildPrompt(parts, room);
  const reset = (reason: string) => reply.reset(reason);
  const links = linksOfRun({ ...parts, system: input.system }, { hasTools: tools.length > 0 });
  const generation = { input, ...prompt, cites, messageId: reply.id, links, reset };
  reply.start();
  if (links === null || tools.length === 0) {
    reply.begin();
    await generate(models, generation, reply.draft, io, call);
  } else {
    const end = await replyWithTools(services, { tools, generation, links }, reply, io, call);
    if (end.parked !== null) return end.parked;
    reply.begin();
    reply.draft.finishReason = end.finishReason;
    const [asked = question, ...later] = end.messages.slice(prompt.messages.length, -1).map(saidInLoop).toReversed();
    if (later.length > 0)
      parts = { ...parts, history: [...parts.history, question, ...later.toReversed()], question: asked };
  }
  if (input.responseSchema !== null && reply.draft.finishReason !== 'TOOL_CALLS') {
    await parseReply(services, { schema: input.responseSchema, generation, parts, room }, reply, io, call);
  }
  reply.end();
  if (input.verify && prompt.sources !== null) {
    const task = { answer: reply.draft.text, sources: prompt.sources, model: input.model };
    reply.judge(await verifyAnswer(models, task, call));
  }
  return null;
}

const saidInLoop = (message: ChatMessage): Said => ({ attachments: [], cites: false, ...message });

/** What was said up to and with the question: the stored branch, or what the app sent along. */
async function readBranch(
  { conversations, models }: ChatServices,
  io: RunIo,
  input: ChatInput,
): Promise<readonly Said[]> {
  const { detail, tenant } = io.run;
  if (detail.kind !== 'CHAT' || detail.conversationId === null || input.conversationId === null) {
    const before = saidByApp(input.history ?? [], (message) => mayCite(message, input));
    // The app goes on after the results of its own tools.
    if (input.message === null) return before;
    return [...before, { role: 'USER', text: input.message, attachments: input.attachments, cites: false }];
  }
  const window = { leaf: detail.questionId, direction: 'last', count: maxHistory, cursor: null } as const;
  const [branch] = await conversations.branches(tenant, [detail.conversationId], window, io.signal);
  const said = (branch?.messages ?? []).flatMap(saidIn);
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
  const question = input.message ?? (await branch).findLast(({ role }) => role === 'USER')?.text ?? '';
  const query = beginning(question.trim(), services.limits.maxQueryChars);
  if (query === '') throw new GatewayError('BAD_INPUT', 'retrieval needs a message to search by, got an empty text.');
  const { hits } = await search(services, { ...retrieval, query, after: null }, call);
  return numberSources(hits);
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
