import type { ConversationStore, MessageRecord, NewMessage } from '../contracts/conversation-store.ts';
import type { Json } from '../contracts/filter.ts';
import { GatewayError } from '../contracts/gateway-error.ts';
import type { FinishReason } from '../contracts/model-provider.ts';
import type { VerificationRecord } from '../contracts/run-event.ts';
import type { CallOptions } from '../models/models.ts';
import type { Executor, RunIo } from '../runs/live-run.ts';
import { type SearchServices, searchAll } from '../search/search.ts';
import { type NumberedSource, numberSources } from '../text/source-prompt.ts';
import type { ChatInput } from './chat-input.ts';
import { type Draft, type Generation, generate } from './generate.ts';
import { buildPrompt, type Said } from './prompt.ts';
import { compileResponseSchema } from './response-schema.ts';
import { verifyAnswer } from './verify.ts';

export interface ChatServices extends SearchServices {
  readonly conversations: ConversationStore;
}

/** Tokens kept free for the answer when the app did not bound it. */
const answerReserve = 1_024;
/** More history than this is never read; what does not fit the model's context is trimmed from it. */
const maxHistory = 200;

/**
 * One chat turn: retrieval and history side by side, then the streamed generation, then the checks that were asked for.
 * Whatever happens, what had come of the reply by then is handed back to be kept.
 */
export function chatExecutor(services: ChatServices): Executor {
  return async (io, stored) => {
    const input = stored as ChatInput; // what startChat gave to the store
    const reply = new Reply(io, input.model ?? services.models.chatModel(null).name);
    try {
      await answer(services, io, input, reply);
      return { reply: reply.message() };
    } catch (error) {
      const cancelled = io.signal.reason instanceof GatewayError && io.signal.reason.code === 'CANCELLED';
      reply.end(cancelled ? 'CANCELLED' : 'ERROR');
      return reply.draft.text === '' ? { error } : { error, reply: reply.message() };
    }
  };
}

async function answer(services: ChatServices, io: RunIo, input: ChatInput, reply: Reply): Promise<void> {
  const { models } = services;
  const call: CallOptions = { tenant: io.run.tenant, meter: io.meter, signal: io.signal };
  const branch = readBranch(services.conversations, io, input);
  const [sources, said] = await Promise.all([retrieve(services, input, branch, call), branch]);
  const question = said.at(-1);
  if (question === undefined) throw new Error('a chat run without a question');
  const { contextWindow } = models.chatModel(input.model);
  const reserve = Math.min(input.sampling.maxOutputTokens ?? answerReserve, Math.floor(contextWindow / 2));
  const prompt = buildPrompt(
    { system: input.system, sources, history: said.slice(0, -1), question },
    contextWindow - reserve,
  );
  const generation = { input, ...prompt, messageId: reply.id };
  reply.start();
  await generate(models, generation, reply.draft, io, call);
  if (input.responseSchema !== null)
    reply.object = await parsedReply(services, generation, input.responseSchema, reply, io, call);
  reply.end();
  if (input.verify && prompt.sources !== null) {
    reply.verification = await verifyAnswer(
      models,
      { answer: reply.draft.text, sources: prompt.sources, model: input.model },
      call,
    );
    io.emit({ type: 'VerificationFinished', messageId: reply.id, verification: reply.verification });
  }
}

/** What was said up to and with the question: the stored branch, or what the app sent along. */
async function readBranch(conversations: ConversationStore, io: RunIo, input: ChatInput): Promise<readonly Said[]> {
  const { detail, tenant } = io.run;
  const sent = { role: 'USER' as const, text: input.message ?? '', attachments: input.attachments };
  if (detail.kind !== 'CHAT' || detail.conversationId === null || input.conversationId === null) {
    return [...(input.history ?? []), sent];
  }
  const window = { leaf: detail.questionId, direction: 'last', count: maxHistory, cursor: null } as const;
  const [branch] = await conversations.branches(tenant, [detail.conversationId], window, io.signal);
  return (branch?.messages ?? []).map(saidOf);
}

async function retrieve(
  services: ChatServices,
  input: ChatInput,
  branch: Promise<readonly Said[]>,
  call: CallOptions,
): Promise<readonly NumberedSource[] | null> {
  if (input.retrieval === null) return null;
  // The question is in the input unless an older message is answered again; only then must retrieval wait for the branch.
  const query = input.message ?? (await branch).at(-1)?.text ?? '';
  const request = { ...input.retrieval, query: query.slice(0, services.limits.maxQueryChars), after: null };
  const [result] = await searchAll(services, [request], call);
  if (result === undefined || result instanceof Error) throw result ?? new Error('a search without a result');
  return numberSources(result.hits);
}

/** The reply parsed by the schema; one repair attempt, then a clear failure. */
async function parsedReply(
  { models }: ChatServices,
  generation: Generation,
  schema: Readonly<Record<string, unknown>>,
  reply: Reply,
  io: RunIo,
  call: CallOptions,
): Promise<Json> {
  const validate = compileResponseSchema(schema);
  const first = validate(reply.draft.text);
  if (first.ok) return first.value;
  const messages = [
    ...generation.messages,
    { role: 'ASSISTANT', text: reply.draft.text } as const,
    {
      role: 'USER',
      text: `That is not valid: ${first.faults.join('; ')}. Reply again, with JSON that satisfies the schema and nothing else.`,
    } as const,
  ];
  reply.reset(`The reply did not satisfy responseSchema: ${first.faults.join('; ')}`.slice(0, 500));
  await generate(models, { ...generation, messages }, reply.draft, io, call);
  const second = validate(reply.draft.text);
  if (second.ok) return second.value;
  throw new GatewayError(
    'UPSTREAM_UNAVAILABLE',
    `The model's reply did not satisfy responseSchema, twice: ${second.faults.join('; ')}.`,
    {
      retryable: true,
      details: { attempts: 2, issues: second.faults },
    },
  );
}

function saidOf({ role, parts }: MessageRecord): Said {
  const texts = parts.flatMap((part) => (part.type === 'text' ? [part.text] : []));
  const attachments = parts.flatMap((part) => (part.type === 'attachment' ? [withoutType(part)] : []));
  return { role, text: texts.join('\n'), attachments };
}

function withoutType<T extends { readonly type: string }>({ type: _type, ...rest }: T): Omit<T, 'type'> {
  return rest;
}

/** The reply being written: its draft, its events in order, and the message that is kept. */
class Reply {
  readonly id: string;
  readonly draft: Draft = { text: '', citations: [], finishReason: null };
  object: Json | null = null;
  verification: VerificationRecord | null = null;
  readonly #io: RunIo;
  readonly #model: string;
  #open = false;

  constructor(io: RunIo, model: string) {
    if (io.run.detail.kind !== 'CHAT') throw new Error(`a run of kind ${io.run.kind} came to the chat executor`);
    this.id = io.run.detail.replyId;
    this.#io = io;
    this.#model = model;
  }

  start(): void {
    this.#open = true;
    this.#io.emit({ type: 'TextMessageStarted', messageId: this.id });
  }

  /** Drops what was written: the generation begins again. */
  reset(reason: string): void {
    Object.assign(this.draft, { text: '', citations: [], finishReason: null });
    this.#io.emit({ type: 'TextMessageReset', messageId: this.id, reason });
  }

  end(broken?: FinishReason): void {
    if (broken !== undefined) this.draft.finishReason = broken;
    if (!this.#open) return;
    this.#open = false;
    this.#io.emit({ type: 'TextMessageEnded', messageId: this.id, finishReason: this.draft.finishReason ?? 'ERROR' });
  }

  message(): NewMessage {
    const { detail } = this.#io.run;
    const { text, citations, finishReason } = this.draft;
    return {
      id: this.id,
      conversationId: (detail.kind === 'CHAT' ? detail.conversationId : null) ?? '',
      parentId: detail.kind === 'CHAT' ? detail.questionId : null,
      role: 'ASSISTANT',
      parts: [{ type: 'text', text }],
      object: this.object,
      citations,
      verification: this.verification,
      finishReason,
      model: this.#model,
      usage: this.#io.meter.usage,
    };
  }
}
