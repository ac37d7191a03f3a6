import type { MessagePart, NewMessage } from '../contracts/conversation-store.ts';
import type { Json } from '../contracts/filter.ts';
import type { FinishReason } from '../contracts/model-provider.ts';
import type { CitationRecord, ToolCallRecord, VerificationRecord } from '../contracts/run-event.ts';
import type { RunIo } from '../runs/live-run.ts';
import type { Draft } from './generate.ts';

/** What one turn of a tool loop has added to a reply, as it is kept. */
export interface SaidInTurn {
  readonly text: string;
  readonly citations: readonly CitationRecord[];
  /** The text before it was dropped: it could not stand before this turn's. */
  readonly isAlone: boolean;
}

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
  /** What the draft held before the generation that is under way. */
  #before: Pick<Draft, 'text' | 'citations'> = { text: '', citations: [] };
  /** The calls of the turns, each with where in the text it stands. */
  #calls: { readonly at: number; call: ToolCallRecord }[] = [];
  /** The log is known to hold the draft. */
  #isInLog: boolean;

  constructor(io: RunIo, model: string) {
    if (io.run.detail.kind !== 'CHAT') throw new Error(`a run of kind ${io.run.kind} came to the chat executor`);
    this.id = io.run.detail.replyId;
    this.#io = io;
    this.#model = model;
    this.#isInLog = !io.begun.messages.has(this.id) && !io.begun.isLost;
  }

  start(): void {
    this.#open = true;
    const { begun } = this.#io;
    if (!begun.messages.has(this.id)) this.#io.emit({ type: 'TextMessageStarted', messageId: this.id });
  }

  /** Before anything is written: readers of an earlier attempt's log are brought to what the draft holds. */
  begin(): void {
    const { begun } = this.#io;
    const isBehind = begun.isLost || begun.messages.get(this.id) !== this.draft.text;
    if (!this.#isInLog && isBehind) this.#sayAgain('The instance that wrote it has gone.');
    this.#isInLog = true;
    this.#before = { text: this.draft.text, citations: [...this.draft.citations] };
  }

  /** Drops what this generation wrote: it begins again. What was there before it stays. */
  reset(reason: string): void {
    Object.assign(this.draft, {
      ...this.#before,
      citations: [...this.#before.citations],
      finishReason: null,
      model: null,
    });
    this.#sayAgain(reason);
  }

  /** Drops everything, calls aside: what comes now must stand alone. */
  dropText(reason: string): void {
    if (this.draft.text === '') return;
    this.#before = { text: '', citations: [] };
    this.#calls = this.#calls.map(({ call }) => ({ at: 0, call }));
    this.reset(reason);
  }

  /** A turn that an earlier attempt has made. */
  restore({ text, citations, isAlone }: SaidInTurn): void {
    if (isAlone) Object.assign(this.draft, { text: '', citations: [] });
    this.draft.text += text;
    this.draft.citations.push(...citations);
  }

  /** A call, or what has become of it since. It stands behind the text so far. */
  called(call: ToolCallRecord): void {
    const known = this.#calls.find((each) => each.call.id === call.id);
    if (known === undefined) this.#calls.push({ at: this.draft.text.length, call });
    else known.call = call;
  }

  get hasContent(): boolean {
    return this.draft.text !== '' || this.#calls.length > 0;
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
    const { citations, finishReason } = this.draft;
    return {
      id: this.id,
      conversationId: (detail.kind === 'CHAT' ? detail.conversationId : null) ?? '',
      parentId: detail.kind === 'CHAT' ? detail.questionId : null,
      role: 'ASSISTANT',
      parts: this.#parts(),
      object: this.object,
      citations,
      verification: this.#verification,
      finishReason,
      model: this.draft.model ?? this.#model,
      usage: this.#io.meter.usage,
    };
  }

  #parts(): MessagePart[] {
    // Half a character at the end is what the log's readers see it as.
    const text = this.draft.text.toWellFormed();
    if (this.#calls.length === 0) return [{ type: 'text', text }];
    const parts: MessagePart[] = [];
    let from = 0;
    for (const { at, call } of this.#calls) {
      if (at > from) parts.push({ type: 'text', text: text.slice(from, at) });
      parts.push({ type: 'tool-call', ...call });
      from = Math.max(from, at);
    }
    if (text.length > from) parts.push({ type: 'text', text: text.slice(from) });
    return parts;
  }

  #sayAgain(reason: string): void {
    const messageId = this.id;
    this.#io.emit({ type: 'TextMessageReset', messageId, reason });
    if (this.draft.text !== '') this.#io.emit({ type: 'TextMessageDelta', messageId, delta: this.draft.text });
    for (const citation of this.draft.citations) this.#io.emit({ type: 'SourceCited', messageId, citation });
  }
}
