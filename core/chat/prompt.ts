import { GatewayError } from '../contracts/gateway-error.ts';
import type { Attachment, ChatMessage } from '../contracts/model-provider.ts';
import type { ChatModel } from '../models/models.ts';
import { wordsOf } from '../models/usage/token-estimate.ts';
import { stripMarks } from '../text/citations.ts';
import { citingRules, type NumberedSource, renderSources, sourcesWithin, uncitedRules } from '../text/source-prompt.ts';
import { countTokens } from '../text/tokens.ts';
import type { Said } from './said.ts';

export interface PromptParts {
  readonly system: string | null;
  /** Null: no retrieval was asked for. */
  readonly sources: readonly NumberedSource[] | null;
  /** The reply is to cite its sources. */
  readonly cites: boolean;
  /** Oldest first, without the question. */
  readonly history: readonly Said[];
  readonly question: Said;
}

export interface Prompt {
  readonly messages: readonly ChatMessage[];
  /** Those that are in the messages. */
  readonly sources: readonly NumberedSource[] | null;
}

/** Tokens that every message costs beside its text, as chat templates go. */
const messageOverhead = 4;
/** An image or a file costs about as much as a page; providers count it their own way. */
const attachmentTokens = 1_000;
/** Kept free for the answer when the app did not bound it. */
const answerTokens = 1_024;

/** How many tokens the prompt may have: what the model holds, without what its answer may take. */
export function promptRoom({ name, contextWindow }: ChatModel, maxOutputTokens: number | null): number {
  const reserved = maxOutputTokens ?? Math.min(answerTokens, Math.floor(contextWindow / 2));
  if (reserved < contextWindow) return contextWindow - reserved;
  throw new GatewayError(
    'BAD_INPUT',
    `maxOutputTokens must be less than the ${contextWindow} tokens of input and output that ${name} holds, got ${reserved}.`,
  );
}

/** BAD_INPUT when the question alone, with the system prompt, is more than the room there is. */
export function assertFits(system: string | null, question: Omit<Said, 'cites'>, room: number): void {
  if (surelyFits(system, question, room)) return;
  const tokens = tokensOf(question) + (system === null ? 0 : tokensOf({ text: system, attachments: [] }));
  if (tokens > room) throw tooLong(room, tokens);
}

/** A token is at least one byte: most messages need no counting. */
function surelyFits(system: string | null, { text, attachments }: Omit<Said, 'cites'>, room: number): boolean {
  const bytes = Buffer.byteLength(system ?? '') + Buffer.byteLength(text) + 2 * messageOverhead;
  return attachments.length === 0 && bytes <= room;
}

/**
 * The whole prompt within `room` tokens: the system prompt, the sources and the question always, and of the history the
 * newest messages that still fit. Sources are dropped from the least relevant on before the question is refused.
 */
export function buildPrompt(parts: PromptParts, room: number): Prompt {
  const { question, history } = parts;
  if (parts.sources === null && history.length === 0 && surelyFits(parts.system, question, room)) {
    const asked = chatMessage(question);
    const messages = parts.system === null ? [asked] : [{ role: 'SYSTEM' as const, text: parts.system }, asked];
    return { messages, sources: null };
  }
  const sources = fittingSources(parts, room);
  const system = systemText(parts, sources);
  const needed = (system === null ? 0 : tokensOf({ text: system, attachments: [] })) + tokensOf(question);
  if (needed > room) throw tooLong(room, needed);
  const spoken = [...newest(history, room - needed), question].map(chatMessage);
  return { messages: system === null ? spoken : [{ role: 'SYSTEM', text: system }, ...spoken], sources };
}

/** The messages at the end of the history that fit. */
function newest(history: readonly Said[], room: number): readonly Said[] {
  let left = room;
  const kept: Said[] = [];
  for (const said of history.toReversed()) {
    const message = said.cites ? { ...said, text: stripMarks(said.text) } : said;
    // A reply that brought no text: some providers refuse an empty message.
    if (message.text.trim() === '' && message.attachments.length === 0 && !isOfTools(message)) continue;
    left -= tokensOf(message);
    if (left < 0) {
      // What is left must not begin with an answer whose question was cut off: it confuses more than it helps.
      while (kept[0]?.role === 'ASSISTANT' || kept[0]?.role === 'TOOL') kept.shift();
      break;
    }
    kept.unshift(message);
  }
  return kept;
}

function systemText({ system, cites }: PromptParts, sources: readonly NumberedSource[] | null): string | null {
  if (sources === null) return system;
  const grounding = `${cites ? citingRules : uncitedRules}\n\n${renderSources(sources)}`;
  return system === null ? grounding : `${system}\n\n${grounding}`;
}

function fittingSources(parts: PromptParts, room: number): readonly NumberedSource[] | null {
  if (parts.sources === null) return null;
  const withoutSources = tokensOf({ text: systemText(parts, []) ?? '', attachments: [] });
  return sourcesWithin(parts.sources, room - tokensOf(parts.question) - withoutSources);
}

function tokensOf({ text, attachments, toolCalls = [] }: Pick<Said, 'text' | 'attachments' | 'toolCalls'>): number {
  const words = wordsOf({ role: 'ASSISTANT', text, toolCalls });
  return attachments.reduce((sum, attachment) => sum + tokensOfFile(attachment), countTokens(words) + messageOverhead);
}

function tokensOfFile({ mimeType, base64 }: Attachment): number {
  // A text is written into the prompt as it is.
  if (base64 === undefined || !mimeType.startsWith('text/')) return attachmentTokens;
  return countTokens(Buffer.from(base64, 'base64').toString());
}

const isOfTools = ({ role, toolCalls = [] }: Said): boolean => role === 'TOOL' || toolCalls.length > 0;

function chatMessage({ role, text, attachments, toolCalls, toolCallId }: Said): ChatMessage {
  return {
    ...{ role, text },
    ...(attachments.length === 0 ? {} : { attachments }),
    ...(toolCalls === undefined ? {} : { toolCalls }),
    ...(toolCallId === undefined ? {} : { toolCallId }),
  };
}

const tooLong = (room: number, tokens: number): GatewayError =>
  new GatewayError(
    'BAD_INPUT',
    `message and system must fit into the ${room} tokens that the model's context leaves for them, got about ${tokens}.`,
  );
