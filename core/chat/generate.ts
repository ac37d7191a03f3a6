import type { ChatMessage, FinishReason } from '../contracts/model-provider.ts';
import type { CitationRecord } from '../contracts/run-event.ts';
import type { CallOptions, Models } from '../models/models.ts';
import type { RunIo } from '../runs/live-run.ts';
import { createCitationRewriter } from '../text/citations.ts';
import type { KnownLinks } from '../text/known-links.ts';
import { createLinkGuard } from '../text/link-guard.ts';
import type { NumberedSource } from '../text/source-prompt.ts';
import type { ChatInput } from './chat-input.ts';

/** The reply as it stands: what has been emitted so far, exactly. */
export interface Draft {
  text: string;
  citations: CitationRecord[];
  finishReason: FinishReason | null;
  /** Which model writes it; null: none has begun. */
  model: string | null;
}

export interface Generation {
  readonly input: ChatInput;
  readonly messages: readonly ChatMessage[];
  readonly sources: readonly NumberedSource[] | null;
  /** The reply's `[n]` are marks of its sources, to be made into citations. */
  readonly cites: boolean;
  readonly messageId: string;
  /** Links and images that are none of these are taken out; null: all are let through. */
  readonly links: KnownLinks | null;
  /** Drops what was written, in the draft and in the log: another model begins again. */
  reset(reason: string): void;
}

/** Streams one generation into the run's log and into `draft`, the two always alike. */
export async function generate(
  models: Models,
  { input, messages, sources, cites, messageId, links, reset }: Generation,
  draft: Draft,
  io: Pick<RunIo, 'emit'>,
  call: CallOptions,
): Promise<void> {
  const newRewriter = () => (cites ? createCitationRewriter(sources ?? []) : null);
  let rewriter = newRewriter();
  const newGuard = () => (links === null ? null : createLinkGuard(links));
  let guard = newGuard();
  let reasoningGuard = newGuard();
  /** Cited by a mark that the guard has not passed on yet: each event comes right after the delta with its mark. */
  let awaited: CitationRecord[] = [];
  const emitText = (text: string, cited: readonly CitationRecord[], isEnd = false): void => {
    awaited.push(...cited);
    if (text !== '') {
      draft.text += text;
      io.emit({ type: 'TextMessageDelta', messageId, delta: text });
    }
    const isShown = ({ number }: CitationRecord): boolean => isEnd || text.includes(`[${number}]`);
    for (const citation of awaited.filter(isShown)) {
      draft.citations.push(citation);
      io.emit({ type: 'SourceCited', messageId, citation });
    }
    awaited = awaited.filter((citation) => !isShown(citation));
  };
  const emitReasoning = (delta: string): void => {
    if (delta !== '') io.emit({ type: 'ReasoningDelta', messageId, delta });
  };
  const emitRest = (): void => {
    const rest = rewriter?.end() ?? { text: '', cited: [] };
    emitText(guard === null ? rest.text : guard.push(rest.text) + guard.end(), rest.cited, true);
    emitReasoning(reasoningGuard?.end() ?? '');
  };
  try {
    for await (const chunk of models.chat({ ...modelRequest(input), messages, sources }, call)) {
      switch (chunk.type) {
        case 'text': {
          const { text, cited } = rewriter?.push(chunk.delta) ?? { text: chunk.delta, cited: [] };
          emitText(guard?.push(text) ?? text, cited);
          break;
        }
        case 'reasoning':
          emitReasoning(reasoningGuard?.push(chunk.delta) ?? chunk.delta);
          break;
        case 'finish':
          draft.finishReason = chunk.reason;
          break;
        case 'model':
          draft.model = chunk.name;
          break;
        case 'reset':
          rewriter = newRewriter();
          guard = newGuard();
          awaited = [];
          reasoningGuard = newGuard();
          reset(chunk.reason);
          break;
        case 'usage':
          break;
      }
    }
  } finally {
    emitRest();
  }
}

function modelRequest({ model, sampling, responseSchema }: ChatInput) {
  const { temperature, topP, stop, seed, reasoningEffort, maxOutputTokens, providerOptions } = sampling;
  return {
    model,
    ...(temperature === null ? {} : { temperature }),
    ...(topP === null ? {} : { topP }),
    ...(stop === null ? {} : { stop }),
    ...(seed === null ? {} : { seed }),
    ...(reasoningEffort === null ? {} : { reasoningEffort }),
    ...(maxOutputTokens === null ? {} : { maxOutputTokens }),
    ...(providerOptions === null ? {} : { providerOptions }),
    ...(responseSchema === null ? {} : { responseSchema }),
  };
}
