import type { FinishReason } from '../../core/contracts/model-provider.ts';
import type { CitationRecord } from '../../core/contracts/run-event.ts';
import { encodeId } from '../../resolvers/global-id.ts';
import type { AgUiEvent, Citation, SnapshotMessage } from './events.ts';

/** A reply as it was saved. */
export interface SavedReply {
  readonly id: string;
  readonly text: string;
  readonly citations: readonly CitationRecord[];
  readonly finishReason: FinishReason | null;
}

interface ToldText {
  text: string;
  citations: readonly Citation[];
  finishReason: FinishReason | null;
}

/**
 * The texts of a run as its client knows them, by the ids that they have in the graph. A message is opened with its first text, so
 * that reasoning, which comes before that, stands above it.
 */
export class ToldTexts {
  readonly #texts = new Map<string, ToldText>();
  #open: string | null = null;

  write(messageId: string, delta: string): AgUiEvent[] {
    const opening = this.#begin(messageId);
    this.#of(messageId).text += delta;
    return [...opening, { type: 'TEXT_MESSAGE_CONTENT', messageId, delta }];
  }

  cite(messageId: string, record: CitationRecord): AgUiEvent[] {
    const citation = citationOf(record);
    const message = this.#of(messageId);
    message.citations = [...message.citations, citation];
    return [cited(messageId, citation)];
  }

  end(messageId: string, finishReason: FinishReason): AgUiEvent[] {
    const isNoReply = finishReason === 'ERROR' || finishReason === 'CANCELLED' || finishReason === 'TOOL_CALLS';
    // Nothing had come, or nothing but calls: an empty message would stay in the conversation.
    if (isNoReply && !this.#texts.has(messageId)) return [];
    const opening = this.#begin(messageId);
    this.#of(messageId).finishReason = finishReason;
    return [...opening, ...this.close()];
  }

  /** False: nothing of it was told. The message stays open, and the same: it is saved under this id. */
  empty(messageId: string): boolean {
    const message = this.#texts.get(messageId);
    if (message !== undefined) Object.assign(message, { text: '', citations: [] });
    return message !== undefined;
  }

  /** The texts become those of the saved reply, or none; what a snapshot cannot tell is told. */
  restore(reply: SavedReply | null): AgUiEvent[] {
    if (reply === null) {
      const closing = this.close();
      this.#texts.clear();
      return closing;
    }
    const messageId = encodeId('Message', reply.id);
    const { text, finishReason } = reply;
    const citations = reply.citations.map(citationOf);
    const known = new Set(this.#of(messageId).citations.map((citation) => JSON.stringify(citation)));
    this.#texts.set(messageId, { text, citations, finishReason });
    return citations
      .filter((citation) => !known.has(JSON.stringify(citation)))
      .map((citation) => cited(messageId, citation));
  }

  /** What a stream that goes on must open again. */
  opened(): AgUiEvent[] {
    return this.#open === null ? [] : [textStart(this.#open)];
  }

  close(): AgUiEvent[] {
    const messageId = this.#open;
    if (messageId === null) return [];
    this.#open = null;
    return [{ type: 'TEXT_MESSAGE_END', messageId, metadata: metadataOf(this.#of(messageId)) }];
  }

  messages(): readonly SnapshotMessage[] {
    return [...this.#texts].map(([id, message]) => ({
      ...{ id, role: 'assistant', content: message.text },
      metadata: metadataOf(message),
    }));
  }

  #begin(messageId: string): AgUiEvent[] {
    if (this.#open === messageId) return [];
    const closing = this.close();
    this.#open = messageId;
    return [...closing, textStart(messageId)];
  }

  #of(messageId: string): ToldText {
    const message = this.#texts.get(messageId) ?? { text: '', citations: [], finishReason: null };
    this.#texts.set(messageId, message);
    return message;
  }
}

function citationOf({ passageId, ...rest }: CitationRecord): Citation {
  return { ...rest, passageId: encodeId('Passage', passageId) };
}

function cited(messageId: string, citation: Citation): AgUiEvent {
  return { type: 'CUSTOM', name: 'sluice.source_cited', value: { messageId, citation } };
}

/** Ends up on the client's message. */
function metadataOf({ citations, finishReason }: ToldText) {
  return { sluice: { finishReason, citations } };
}

function textStart(messageId: string): AgUiEvent {
  return { type: 'TEXT_MESSAGE_START', messageId, role: 'assistant' };
}
