import type { NewMessage } from '../contracts/conversation-store.ts';
import type { Json } from '../contracts/filter.ts';
import type { FinishReason } from '../contracts/model-provider.ts';
import type { CitationRecord } from '../contracts/run-event.ts';
import type { AgentOutput, RunDetail } from '../contracts/run-store.ts';
import type { RunIo } from '../runs/live-run.ts';

type AgentDetail = Extract<RunDetail, { kind: 'AGENT' }>;

export function agentDetail({ run }: Pick<RunIo, 'run'>): AgentDetail {
  if (run.detail.kind === 'AGENT') return run.detail;
  throw new Error(`a run of kind ${run.kind} came to the agent executor`);
}

/** The answer as it is written: a message in the log, and in the end the output of the run. */
export class Output {
  readonly id: string;
  object: Json | null = null;
  readonly #io: RunIo;
  #text = '';
  #citations: readonly CitationRecord[] = [];
  #model: string | null = null;
  #finishReason: FinishReason | null = null;
  #isOpen = false;
  /** What is written now stands in the log to its end already. */
  #isSaid = false;

  constructor(io: RunIo) {
    this.id = agentDetail(io).outputId;
    this.#io = io;
  }

  get isEmpty(): boolean {
    return this.#text === '' && this.object === null;
  }

  /** `isKept`: the text that follows is the one that an earlier attempt had finished. */
  start(step: string, { isKept }: { readonly isKept: boolean }): void {
    const { begun } = this.#io;
    this.#isOpen = true;
    this.#isSaid = isKept && begun.endedMessages.has(this.id);
    if (this.#isSaid) return;
    const hasBegun = begun.messages.has(this.id);
    if (!hasBegun) this.#io.emit({ type: 'TextMessageStarted', messageId: this.id, step });
    if (hasBegun || begun.isLost) {
      this.#io.emit({ type: 'TextMessageReset', messageId: this.id, reason: 'The instance that wrote it has gone.' });
    }
  }

  write(text: string, cited: readonly CitationRecord[]): void {
    this.#text += text;
    this.#citations = [...this.#citations, ...cited];
    if (this.#isSaid) return;
    if (text !== '') this.#io.emit({ type: 'TextMessageDelta', messageId: this.id, delta: text });
    for (const citation of cited) this.#io.emit({ type: 'SourceCited', messageId: this.id, citation });
  }

  reset(reason: string): void {
    this.#text = '';
    this.#citations = [];
    this.#io.emit({ type: 'TextMessageReset', messageId: this.id, reason });
  }

  writtenBy(model: string): void {
    this.#model = model;
  }

  end(reason: FinishReason): void {
    this.#finishReason = reason;
    if (!this.#isOpen) return;
    this.#isOpen = false;
    if (!this.#isSaid) this.#io.emit({ type: 'TextMessageEnded', messageId: this.id, finishReason: reason });
  }

  /** A text that was not finished ends so; one that was keeps its own reason. */
  breakOff(reason: FinishReason): void {
    if (this.#isOpen || this.#finishReason === null) this.end(reason);
  }

  record(model: string): AgentOutput {
    return {
      text: this.#text.toWellFormed(),
      citations: this.#citations,
      object: this.object,
      model: this.#model ?? model,
      finishReason: this.#finishReason ?? 'ERROR',
      usage: this.#io.meter.usage,
    };
  }

  /** The next message of the conversation; null: the goal was no turn of one. */
  message(model: string): NewMessage | null {
    const { conversationId, questionId } = agentDetail(this.#io);
    if (conversationId === null) return null;
    const { text, citations, object, finishReason, usage, ...record } = this.record(model);
    return {
      ...{ id: this.id, conversationId, parentId: questionId, role: 'ASSISTANT' },
      ...{ parts: [{ type: 'text', text }], object, citations, verification: null },
      ...{ finishReason, model: record.model, usage },
    };
  }
}
