import type { ChatMessage, FinishReason } from '../contracts/model-provider.ts';
import type { CitationRecord } from '../contracts/run-event.ts';
import type { CallOptions, Models } from '../models/models.ts';
import type { RunIo } from '../runs/live-run.ts';
import type { RewrittenText } from '../text/citations.ts';
import { guardedCitations } from '../text/guarded-citations.ts';
import type { KnownLinks } from '../text/known-links.ts';
import type { NumberedSource } from '../text/source-prompt.ts';
import { knowResults } from '../tools/known-results.ts';
import type { TurnRequest } from '../tools/loop/turn.ts';
import type { WrittenCalls } from '../tools/loop/written-calls.ts';
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
  /** What the model may call, and where its calls go; left out: nothing. */
  readonly calling?:
    | { readonly request: Pick<TurnRequest, 'tools' | 'toolChoice'>; readonly calls: WrittenCalls }
    | undefined;
  /** Stands between what the draft holds and what is written now, once there is something. */
  readonly separator?: string;
  /** Links and images that are none of these are taken out; null: all are let through. */
  readonly links: KnownLinks | null;
  /** Drops what was written, in the draft and in the log: another model begins again. */
  reset(reason: string): void;
}

/**
 * Streams one generation into the run's log and into `draft`, the two always alike. Returns the text as the model wrote it.
 */
export async function generate(
  models: Models,
  { input, messages, sources, cites, messageId, links, calling, separator = '', reset }: Generation,
  draft: Draft,
  io: Pick<RunIo, 'emit'>,
  call: CallOptions,
): Promise<string> {
  if (links !== null) knowResults(links, messages);
  const newWriter = () => guardedCitations(cites ? (sources ?? []) : null, links, draft.citations);
  const newReasoning = () => guardedCitations(null, links);
  let writer = newWriter();
  let raw = '';
  let isNew = true;
  let reasoning = newReasoning();
  const emitText = ({ text, cited }: RewrittenText): void => {
    if (text !== '') {
      const delta = isNew && draft.text !== '' ? separator + text : text;
      isNew = false;
      draft.text += delta;
      io.emit({ type: 'TextMessageDelta', messageId, delta });
    }
    for (const citation of cited) {
      draft.citations.push(citation);
      io.emit({ type: 'SourceCited', messageId, citation });
    }
  };
  const emitReasoning = ({ text }: RewrittenText): void => {
    if (text !== '') io.emit({ type: 'ReasoningDelta', messageId, delta: text });
  };
  try {
    for await (const chunk of models.chat({ ...modelRequest(input), ...calling?.request, messages, sources }, call)) {
      switch (chunk.type) {
        case 'text':
          raw += chunk.delta;
          emitText(writer.push(chunk.delta));
          break;
        case 'tool-call':
        case 'tool-arguments':
          calling?.calls.take(chunk);
          break;
        case 'reasoning':
          emitReasoning(reasoning.push(chunk.delta));
          break;
        case 'finish':
          draft.finishReason = chunk.reason;
          break;
        case 'model':
          draft.model = chunk.name;
          break;
        case 'reset':
          reasoning = newReasoning();
          calling?.calls.drop();
          reset(chunk.reason);
          // Only now: what was cited before this generation stays cited.
          writer = newWriter();
          [raw, isNew] = ['', true];
          break;
        case 'usage':
          break;
      }
    }
  } finally {
    emitText(writer.end());
    emitReasoning(reasoning.end());
  }
  return raw;
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
