import { setImmediate as nextTurn } from 'node:timers/promises';
import { GatewayError } from '../../core/contracts/gateway-error.ts';
import type { ChatChunk, ChatRequest, Completion } from '../../core/contracts/model-provider.ts';
import { countTokens } from '../../core/text/tokens.ts';
import { contentStems } from '../../core/text/words.ts';
import { cancelled } from './embedding-pool.ts';
import { extractiveAnswer, refusal, type Similarity } from './extractive-answer.ts';
import { extractiveSummary, summaryWish } from './extractive-summary.ts';

export const extractiveModel = 'extractive';

const needsDocuments =
  'This model only quotes documents: ask with `retrieval`, so that it has passages to answer from.';
const nothingFound = `${refusal.slice(0, -1)}: the search found no passages.`;
const wordsPerChunk = 4;
/** What of a message can be the question; the rest of a pasted megabyte is not read. */
const questionCharacters = 4_000;

/** The whole reply. Sampling options have nothing to act on and are left alone; what cannot be done is refused. */
export async function extractiveCompletion(
  request: ChatRequest,
  similarity: Similarity,
  signal: AbortSignal,
): Promise<Completion> {
  checkRequest(request);
  if (signal.aborted) throw cancelled(signal);
  const text = untilStop(await reply(request, similarity), request.stop ?? []);
  if (signal.aborted) throw cancelled(signal);
  const kept = request.maxOutputTokens === undefined ? text : withinTokens(text, request.maxOutputTokens);
  // Nothing here counts tokens as a vendor would: the pool estimates, and says so.
  return { text: kept, finishReason: kept.length < text.length ? 'LENGTH' : 'STOP', tokens: null };
}

/** The same in chunks of a few words, giving other work its turn in between. */
export async function* extractiveChunks(
  request: ChatRequest,
  similarity: Similarity,
  signal: AbortSignal,
): AsyncGenerator<ChatChunk> {
  const { text, finishReason } = await extractiveCompletion(request, similarity, signal);
  const words = text.match(/\s*\S+/g) ?? [];
  for (let index = 0; index < words.length; index += wordsPerChunk) {
    yield { type: 'text', delta: words.slice(index, index + wordsPerChunk).join('') };
    await nextTurn();
    if (signal.aborted) throw cancelled(signal);
  }
  yield { type: 'finish', reason: finishReason };
}

async function reply({ messages, sources }: ChatRequest, similarity: Similarity): Promise<string> {
  if (sources === null) return needsDocuments;
  if (sources.length === 0) return nothingFound;
  const questions = messages.filter(({ role }) => role === 'USER').map(({ text }) => text.slice(0, questionCharacters));
  const question = questions.at(-1) ?? '';
  const instruction = messages.find(({ role }) => role === 'SYSTEM')?.text ?? '';
  const wish = summaryWish(instruction, question);
  if (wish !== null) return extractiveSummary(wish, sources);
  // "And why?" says too little by itself: the question before it says what it is about.
  const isFollowUp = new Set(contentStems(question)).size < 2 && questions.length > 1;
  return extractiveAnswer(isFollowUp ? `${questions.at(-2)} ${question}` : question, sources, similarity);
}

function checkRequest({ model, messages, responseSchema }: ChatRequest): void {
  if (model !== extractiveModel) {
    throw new GatewayError(
      'BAD_INPUT',
      `model must be "${extractiveModel}" for chat with the local provider, got "${model}"`,
    );
  }
  if (responseSchema !== undefined) {
    throw new GatewayError(
      'BAD_INPUT',
      `responseSchema needs a model that writes: "${extractiveModel}" quotes documents and cannot write JSON`,
    );
  }
  if (messages.some(({ attachments = [] }) => attachments.length > 0)) {
    throw new GatewayError(
      'BAD_INPUT',
      `attachments need a model that reads them: "${extractiveModel}" reads text only`,
    );
  }
  if (!messages.some(({ role }) => role === 'USER')) {
    throw new GatewayError('BAD_INPUT', `messages must hold a question (a message of role USER), got none`);
  }
}

function untilStop(text: string, stops: readonly string[]): string {
  const ends = stops.flatMap((stop) => (stop !== '' && text.includes(stop) ? [text.indexOf(stop)] : []));
  return ends.length === 0 ? text : text.slice(0, Math.min(...ends));
}

/** As many whole words as `limit` tokens hold. */
function withinTokens(text: string, limit: number): string {
  if (countTokens(text) <= limit) return text;
  const ends = [0, ...[...text.matchAll(/\S+/g)].map((word) => word.index + word[0].length)];
  let fits = 0;
  let tooLong = ends.length;
  while (tooLong - fits > 1) {
    const middle = Math.floor((fits + tooLong) / 2);
    if (countTokens(text.slice(0, ends[middle])) <= limit) fits = middle;
    else tooLong = middle;
  }
  return text.slice(0, ends[fits]);
}
