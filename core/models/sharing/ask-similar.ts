import type { CallOptions, ModelRequest, Models } from '../models.ts';
import { requestKey } from './request-key.ts';
import type { SemanticPolicy } from './sharing-policy.ts';
import type { Question, SimilarReplies } from './similar-replies.ts';

/** A longer text is more than a question, and embedding models do not read all of it. */
const longestQuestion = 500;
/** The answer does not wait longer for the vector of its question. */
const embeddingMs = 1_000;

interface Parts {
  readonly models: Models;
  readonly replies: SimilarReplies;
  readonly policy: SemanticPolicy;
  readonly options: CallOptions;
}

/** The two ends of a call that a similar question may have been answered before; null where that is not to be asked. */
export function askSimilar(
  { models, replies, policy, options }: Parts,
  kind: 'chat' | 'complete',
  model: string,
  request: ModelRequest,
): { find(): Promise<string | null>; keep(reply: string): void } | null {
  const last = request.messages.at(-1);
  if (last === undefined || last.role !== 'USER' || last.text.trim() === '' || last.text.length > longestQuestion) {
    return null;
  }
  const messages = [...request.messages.slice(0, -1), { ...last, text: '' }];
  const embedder = policy.embeddingModel ?? models.defaultEmbeddingModel;
  const room = requestKey(options.tenant, kind, `${model} by ${embedder}`, { ...request, messages });
  let question: Question | null = null;
  return {
    async find() {
      try {
        const { vector } = await models.embed(embedder, last.text, { ...options, timeoutMs: embeddingMs });
        question = { text: last.text, vector };
      } catch {
        // Then it is answered as any other. Where the caller has left, the call itself says so.
        return null;
      }
      return replies.find(room, question, policy.threshold);
    },
    keep(reply) {
      if (question !== null) replies.add(room, question, reply, policy.ttlMs);
    },
  };
}
