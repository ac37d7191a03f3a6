import { GatewayError } from '../contracts/gateway-error.ts';
import type { ChatModel, Models } from '../models/models.ts';
import { checkFirst } from '../pagination.ts';
import { parseMetadataFilter } from '../search/metadata-filter.ts';
import { assertStorable } from '../text/normalise.ts';
import { assertStorableJson } from '../text/storable-json.ts';
import type { Toolbox } from '../tools/toolbox.ts';
import type { ChatInput, Sampling } from './chat-input.ts';
import { checkAttachment } from './check-attachment.ts';
import { checkHistoryTools, checkTools } from './check-tools.ts';
import { assertFits, promptRoom } from './prompt.ts';

export interface ChatLimits {
  readonly maxMessageChars: number;
  readonly maxHistoryMessages: number;
  readonly maxFirst: number;
  readonly maxRunTimeoutMs: number;
}

/**
 * Refuses what cannot work before anything is claimed or spent; each message names the value and what was expected.
 * Whether `responseSchema` is a schema is not among it: that takes a thread.
 */
export function checkChatInput(
  input: ChatInput,
  models: Models,
  limits: ChatLimits,
  toolbox: Pick<Toolbox, 'named'>,
): void {
  checkText('model', input.model, 200);
  const model = models.chatModel(input.model);
  checkTurn(input);
  checkTexts(input, limits);
  checkHistory(input, model);
  checkTools(input, toolbox, model);
  for (const [index, attachment] of input.attachments.entries()) {
    checkAttachment(attachment, `attachments[${index}]`, model);
  }
  checkSampling(input.sampling, model);
  checkRetrieval(input, models, limits);
  if (input.timeoutMs !== null) range('timeoutMs', input.timeoutMs, 1, limits.maxRunTimeoutMs, ' (timeouts.totalMs)');
  checkMetadata(input.metadata);
  if (input.responseSchema !== null) assertGenerates(model, 'responseSchema');
  if (input.verify) {
    assertGenerates(model, 'verify');
    if (input.retrieval === null) {
      throw bad('verify judges the answer against its passages: it needs retrieval, got none.');
    }
  }
  const room = promptRoom(model, input.sampling.maxOutputTokens);
  const question = { role: 'USER', text: input.message ?? '', attachments: input.attachments } as const;
  assertFits(input.system, question, room);
}

function checkTurn(input: ChatInput): void {
  const { message, parentMessageId, beginsAnew, attachments, history, conversationId, store } = input;
  const answersTools = history?.at(-1)?.role === 'TOOL';
  if (message === null && parentMessageId === null && !answersTools) {
    throw bad(
      'message may be left out only with a parentMessageId of a USER message, or behind a history that ends with a TOOL message; got neither.',
    );
  }
  if (message === null && attachments.length > 0) throw bad('attachments need a message; got none.');
  if (message !== null && message.trim() === '' && attachments.length === 0) {
    throw bad('message must hold at least one word, got an empty text.');
  }
  const stored = conversationId !== null || parentMessageId !== null || beginsAnew;
  if (history !== null && stored) {
    throw bad(
      'history is for apps that keep the conversation themselves: not together with conversationId or parentMessageId.',
    );
  }
  if (!store && stored) {
    throw bad('store: false writes no message: send history instead of conversationId or parentMessageId.');
  }
}

function checkHistory({ history }: ChatInput, model: ChatModel): void {
  checkHistoryTools(history ?? []);
  for (const [index, { role, attachments }] of (history ?? []).entries()) {
    if (attachments.length > 0 && role !== 'USER') {
      throw bad(`history[${index}].attachments must be on a USER message, got ${role}.`);
    }
    for (const [position, attachment] of attachments.entries()) {
      checkAttachment(attachment, `history[${index}].attachments[${position}]`, model);
    }
  }
}

function checkTexts(input: ChatInput, { maxMessageChars, maxHistoryMessages }: ChatLimits): void {
  const history = input.history ?? [];
  if (history.length > maxHistoryMessages) {
    throw bad(
      `history must hold at most ${maxHistoryMessages} messages (limits.maxHistoryMessages), got ${history.length}.`,
    );
  }
  const texts: [string, string | null][] = [
    ['message', input.message],
    ['system', input.system],
    ...history.map(({ text }, index): [string, string] => [`history[${index}].text`, text]),
  ];
  for (const [name, text] of texts) checkText(name, text, maxMessageChars, 'limits.maxMessageChars');
  checkText('user', input.user, 200);
}

/** `limit` is the name of the configuration value, where the bound is one. */
export function checkText(name: string, text: string | null, maxChars: number, limit?: string): void {
  if (text === null) return;
  if (text.length > maxChars) {
    const named = limit === undefined ? '' : ` (${limit})`;
    throw bad(`${name} must be at most ${maxChars} characters${named}, got ${text.length}.`);
  }
  assertStorable(text, name);
}

function checkSampling(sampling: Sampling, model: ChatModel): void {
  const { temperature, topP, maxOutputTokens, stop, seed, providerOptions } = sampling;
  if (temperature !== null) range('temperature', temperature, 0, 2);
  if (topP !== null) range('topP', topP, 0, 1);
  if (maxOutputTokens !== null) {
    const [most, why] =
      model.maxOutputTokens === null ? [1_000_000, ''] : [model.maxOutputTokens, `, what ${model.name} writes at most`];
    range('maxOutputTokens', maxOutputTokens, 1, most, why);
  }
  if (seed !== null && !Number.isInteger(seed)) throw bad(`seed must be an integer, got ${seed}.`);
  if (stop !== null && (stop.length > 16 || stop.some((text) => text === '' || text.length > 200))) {
    throw bad(`stop must hold at most 16 texts of 1–200 characters, got ${stop.length}.`);
  }
  if (stop !== null) for (const text of stop) assertStorable(text, 'stop');
  if (providerOptions !== null)
    assertStorableJson(providerOptions, 'providerOptions', { maxChars: 100_000, maxDepth: 50 });
}

export function checkRetrieval(
  { retrieval, message }: Pick<ChatInput, 'retrieval' | 'message'>,
  models: Models,
  { maxFirst }: Pick<ChatLimits, 'maxFirst'>,
): void {
  if (retrieval === null) return;
  assertStorable(retrieval.in, 'retrieval.in');
  checkFirst(retrieval.first, { name: 'retrieval.first', max: maxFirst });
  if (retrieval.perDocument !== null) checkFirst(retrieval.perDocument, { name: 'retrieval.perDocument', max: 1_000 });
  if (retrieval.filter !== null) parseMetadataFilter(retrieval.filter, 'retrieval.filter');
  // The default model grades, whichever model answers.
  if (retrieval.rerank) assertGenerates(models.chatModel(null), 'retrieval.rerank');
  if (message !== null && message.trim() === '')
    throw bad('retrieval needs a message to search by, got an empty text.');
}

export function checkMetadata(metadata: Readonly<Record<string, unknown>>): void {
  const entries = Object.entries(metadata);
  if (entries.length > 16) throw bad(`metadata must hold at most 16 entries, got ${entries.length}.`);
  for (const [key, value] of entries) {
    if (typeof value === 'string' && value.length <= 500 && key.length <= 64) continue;
    throw bad(`metadata.${key.slice(0, 64)} must be a text of at most 500 characters under a name of at most 64.`);
  }
  assertStorableJson(metadata, 'metadata', { maxChars: 20_000, maxDepth: 1 });
}

export function assertGenerates(model: ChatModel, name: string): void {
  if (model.generative) return;
  throw bad(
    `${name} needs a generative model; ${model.name} of provider ${model.provider} cannot. Leave it out, or configure a provider.`,
  );
}

export function range(name: string, value: number, min: number, max: number, limit = ''): void {
  if (!(value >= min && value <= max)) throw bad(`${name} must be ${min}–${max}${limit}, got ${value}.`);
}

const bad = (message: string): GatewayError => new GatewayError('BAD_INPUT', message);
