import type { NewMessage } from '../contracts/conversation-store.ts';
import type { Json } from '../contracts/filter.ts';
import type { FinishReason } from '../contracts/model-provider.ts';
import type { VerificationRecord } from '../contracts/run-event.ts';
import type { RunIo } from '../runs/live-run.ts';
import type { Draft } from './generate.ts';

/** The reply being written: its draft, its events in order, and the message that is kept. */
export class Reply {
  readonly id: string;
  readonly draft: Draft = { text: '', citations: [], finishReason: null, model: null };
  object: Json | null = null;
  readonly #io: RunIo;
  /** As it was asked for: what stands in the message until a model has answered. */
  readonly #model: string;
  #verification: VerificationRecord | null = null;
  #open = false;

  constructor(io: RunIo, model: string) {
    if (io.run.detail.kind !== 'CHAT') throw new Error(`a run of kind ${io.run.kind} came to the chat executor`);
    this.id = io.run.detail.replyId;
    this.#io = io;
    this.#model = model;
  }

  start(): void {
    this.#open = true;
    const { begun } = this.#io;
    if (!begun.messages.has(this.id)) this.#io.emit({ type: 'TextMessageStarted', messageId: this.id });
    if (begun.messages.has(this.id) || begun.isLost) {
      this.#io.emit({ type: 'TextMessageReset', messageId: this.id, reason: 'The instance that wrote it has gone.' });
    }
  }

  /** Drops what was written: the generation begins again. */
  reset(reason: string): void {
    Object.assign(this.draft, { text: '', citations: [], finishReason: null, model: null });
    this.#io.emit({ type: 'TextMessageReset', messageId: this.id, reason });
  }

  end(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#io.emit({ type: 'TextMessageEnded', messageId: this.id, finishReason: this.draft.finishReason ?? 'ERROR' });
  }

  /** Ends a text that was not finished; one that was keeps its own reason, whatever fails after it. */
  breakOff(reason: FinishReason): void {
    if (this.#open || this.draft.finishReason === null) this.draft.finishReason = reason;
    this.end();
  }

  judge(verification: VerificationRecord): void {
    this.#verification = verification;
    this.#io.emit({ type: 'VerificationFinished', messageId: this.id, verification });
  }

  message(): NewMessage {
    const { detail } = this.#io.run;
    const { text, citations, finishReason } = this.draft;
    return {
      id: this.id,
      conversationId: (detail.kind === 'CHAT' ? detail.conversationId : null) ?? '',
      parentId: detail.kind === 'CHAT' ? detail.questionId : null,
      role: 'ASSISTANT',
      // Half a character at the end is what the log's readers see it as.
      parts: [{ type: 'text', text: text.toWellFormed() }],
      object: this.object,
      citations,
      verification: this.#verification,
      finishReason,
      model: this.draft.model ?? this.#model,
      usage: this.#io.meter.usage,
    };
  }
}
