import { GatewayError } from '../contracts/gateway-error.ts';
import type { Attachment } from '../contracts/model-provider.ts';
import type { ChatModel, Models } from '../models/models.ts';
import { checkFirst } from '../pagination.ts';
import { parseMetadataFilter } from '../search/metadata-filter.ts';
import { assertStorable } from '../text/normalise.ts';
import type { ChatInput, Sampling } from './chat-input.ts';
import { compileResponseSchema } from './response-schema.ts';

export interface ChatLimits {
  readonly maxMessageChars: number;
  readonly maxHistoryMessages: number;
  readonly maxFirst: number;
  readonly maxRunTimeoutMs: number;
}

/** Refuses what cannot work before anything is claimed or spent; each message names the value and what was expected. */
export function checkChatInput(input: ChatInput, models: Models, limits: ChatLimits): void {
  const model = models.chatModel(input.model);
  checkTurn(input);
  checkTexts(input, limits);
  const attachments = [...input.attachments, ...(input.history ?? []).flatMap((message) => message.attachments)];
  for (const attachment of attachments) checkAttachment(attachment, model);
  checkSampling(input.sampling);
  checkRetrieval(input, limits);
  if (input.timeoutMs !== null) range('timeoutMs', input.timeoutMs, 1, limits.maxRunTimeoutMs);
  checkMetadata(input.metadata);
  if (input.responseSchema !== null) {
    assertGenerates(model, 'responseSchema');
    compileResponseSchema(input.responseSchema);
  }
  if (input.verify) {
    assertGenerates(model, 'verify');
    if (input.retrieval === null) {
      throw bad('verify judges the answer against its passages: it needs retrieval, got none.');
    }
  }
}

function checkTurn({ message, parentMessageId, attachments, history, conversationId, store }: ChatInput): void {
  if (message === null && parentMessageId === null) {
    throw bad('message may be left out only with a parentMessageId of a USER message; got neither.');
  }
  if (message === null && attachments.length > 0) throw bad('attachments need a message; got none.');
  if (message !== null && message.trim() === '' && attachments.length === 0) {
    throw bad('message must hold at least one word, got an empty text.');
  }
  if (history !== null && (conversationId !== null || parentMessageId !== null)) {
    throw bad(
      'history is for apps that keep the conversation themselves: not together with conversationId or parentMessageId.',
    );
  }
  if (!store && (conversationId !== null || parentMessageId !== null)) {
    throw bad('store: false writes no message: send history instead of conversationId or parentMessageId.');
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
  for (const [name, text] of texts) checkText(name, text, maxMessageChars);
  checkText('user', input.user, 200);
  checkText('model', input.model, 200);
}

function checkText(name: string, text: string | null, maxChars: number): void {
  if (text === null) return;
  if (text.length > maxChars) throw bad(`${name} must be at most ${maxChars} characters, got ${text.length}.`);
  assertStorable(text, name);
}

function checkAttachment({ mimeType, url, base64 }: Attachment, model: ChatModel): void {
  if ((url === undefined) === (base64 === undefined)) {
    throw bad(`an attachment needs exactly one of url and base64, got ${url === undefined ? 'neither' : 'both'}.`);
  }
  const readable = model.attachments.some((type) =>
    type.endsWith('/*') ? mimeType.startsWith(type.slice(0, -1)) : type === mimeType,
  );
  if (!readable) {
    const readableTypes = model.attachments.join(', ') || 'no attachments';
    throw bad(`${model.name} reads ${readableTypes}; got an attachment of type "${mimeType.slice(0, 100)}".`);
  }
  if (url !== undefined && !/^(https?|data):/.test(url)) {
    throw bad(`an attachment's url must be http, https or data, got "${url.slice(0, 60)}".`);
  }
  if (base64 !== undefined && !/^[A-Za-z0-9+/]*={0,2}$/.test(base64))
    throw bad("an attachment's base64 is not base64.");
}

function checkSampling({ temperature, topP, maxOutputTokens, stop, seed, providerOptions }: Sampling): void {
  if (temperature !== null) range('temperature', temperature, 0, 2);
  if (topP !== null) range('topP', topP, 0, 1);
  if (maxOutputTokens !== null) range('maxOutputTokens', maxOutputTokens, 1, 1_000_000);
  if (seed !== null && !Number.isInteger(seed)) throw bad(`seed must be an integer, got ${seed}.`);
  if (stop !== null && (stop.length > 16 || stop.some((text) => text === '' || text.length > 200))) {
    throw bad(`stop must hold at most 16 texts of 1–200 characters, got ${stop.length}.`);
  }
  if (stop !== null) for (const text of stop) assertStorable(text, 'stop');
  if (providerOptions !== null) checkJson('providerOptions', providerOptions, 100_000);
}

function checkRetrieval({ retrieval, message, model: _model }: ChatInput, { maxFirst }: ChatLimits): void {
  if (retrieval === null) return;
  checkFirst(retrieval.first, { name: 'retrieval.first', max: maxFirst });
  if (retrieval.perDocument !== null) checkFirst(retrieval.perDocument, { name: 'retrieval.perDocument', max: 1_000 });
  if (retrieval.filter !== null) parseMetadataFilter(retrieval.filter, 'retrieval.filter');
  if (message !== null && message.trim() === '')
    throw bad('retrieval needs a message to search by, got an empty text.');
}

function checkMetadata(metadata: Readonly<Record<string, unknown>>): void {
  const entries = Object.entries(metadata);
  if (entries.length > 16) throw bad(`metadata must hold at most 16 entries, got ${entries.length}.`);
  for (const [key, value] of entries) {
    if (typeof value === 'string' && value.length <= 500 && key.length <= 64) continue;
    throw bad(`metadata.${key.slice(0, 64)} must be a text of at most 500 characters under a name of at most 64.`);
  }
  checkJson('metadata', metadata, 20_000);
}

function checkJson(name: string, value: unknown, maxChars: number): void {
  const text = JSON.stringify(value);
  if (text.length > maxChars) throw bad(`${name} must be at most ${maxChars} characters of JSON, got ${text.length}.`);
  if (/\\u(?:0000|d[89a-f][0-9a-f]{2})/i.test(text)) throw bad(`${name} must not hold NUL or a lone surrogate.`);
}

function assertGenerates(model: ChatModel, name: string): void {
  if (model.generative) return;
  throw bad(
    `${name} needs a generative model; ${model.name} of provider ${model.provider} cannot. Leave it out, or configure a provider.`,
  );
}

function range(name: string, value: number, min: number, max: number): void {
  if (!(value >= min && value <= max)) throw bad(`${name} must be ${min}–${max}, got ${value}.`);
}

const bad = (message: string): GatewayError => new GatewayError('BAD_INPUT', message);
