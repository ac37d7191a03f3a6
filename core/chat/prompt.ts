import { GatewayError } from '../contracts/gateway-error.ts';
import type { Attachment, ChatMessage, MessageRole } from '../contracts/model-provider.ts';
import { stripMarks } from '../text/citations.ts';
import { citingRules, type NumberedSource, renderSources } from '../text/source-prompt.ts';
import { countTokens } from '../text/tokens.ts';

export interface Said {
  readonly role: MessageRole;
  readonly text: string;
  readonly attachments: readonly Attachment[];
}

export interface PromptParts {
  readonly system: string | null;
  /** Null: no retrieval was asked for. */
  readonly sources: readonly NumberedSource[] | null;
  /** Oldest first, without the question. */
  readonly history: readonly Said[];
  readonly question: Said;
}

/** Tokens that every message costs beside its text, as chat templates go. */
const messageOverhead = 4;
/** An image or a file costs about as much as a page; providers count it their own way. */
const attachmentTokens = 1_000;

/**
 * The whole prompt within `maxTokens`: the system prompt, the sources and the question always, and of the history the
 * newest messages that still fit. Sources are dropped from the least relevant on before the question is refused.
 */
export function buildPrompt(
  parts: PromptParts,
  maxTokens: number,
): { readonly messages: readonly ChatMessage[]; readonly sources: readonly NumberedSource[] | null } {
  const { question, history } = parts;
  const sources = fittingSources(parts, maxTokens);
  const system = systemText(parts.system, sources);
  let left =
    maxTokens -
    (system === null ? 0 : tokensOf({ role: 'SYSTEM', text: system, attachments: [] })) -
    tokensOf(question);
  if (left < 0) {
    throw new GatewayError(
      'BAD_INPUT',
      `message and system must fit the model's ${maxTokens} tokens of input, got about ${maxTokens - left}.`,
    );
  }
  const kept: Said[] = [];
  for (const said of history.toReversed()) {
    // Marks of earlier replies number other sources than today's: the model must not mistake them.
    const message = said.role === 'ASSISTANT' ? { ...said, text: stripMarks(said.text) } : said;
    left -= tokensOf(message);
    if (left < 0) break;
    kept.unshift(message);
  }
  // A history that begins with an answer whose question was cut off confuses more than it helps.
  while (kept[0]?.role === 'ASSISTANT') kept.shift();
  const spoken = [...kept, question].map(chatMessage);
  return { messages: system === null ? spoken : [{ role: 'SYSTEM', text: system }, ...spoken], sources };
}

function systemText(system: string | null, sources: readonly NumberedSource[] | null): string | null {
  if (sources === null) return system;
  const grounding = `${citingRules}\n\n${renderSources(sources)}`;
  return system === null ? grounding : `${system}\n\n${grounding}`;
}

function fittingSources(parts: PromptParts, maxTokens: number): readonly NumberedSource[] | null {
  if (parts.sources === null) return null;
  let left = maxTokens - tokensOf(parts.question) - countTokens(systemText(parts.system, []) ?? '');
  const fitting = parts.sources.findIndex((source) => {
    left -= countTokens(source.text) + countTokens(source.title ?? '') + messageOverhead;
    return left < 0;
  });
  return fitting === -1 ? parts.sources : parts.sources.slice(0, fitting);
}

function tokensOf({ text, attachments }: Said): number {
  return countTokens(text) + messageOverhead + attachments.length * attachmentTokens;
}

function chatMessage({ role, text, attachments }: Said): ChatMessage {
  return attachments.length === 0 ? { role, text } : { role, text, attachments };
}
