import type { ChatChunk } from '../../contracts/model-provider.ts';
import type { RunIo } from '../../runs/live-run.ts';
import type { CallIds } from './call-ids.ts';
import { sayOnce, type Turn } from './turn.ts';

type Io = Pick<RunIo, 'begun' | 'emit'>;
type CallChunk = Extract<ChatChunk, { type: 'tool-call' | 'tool-arguments' }>;

/** The tool calls that a model is writing, told to the log as they come. */
export class WrittenCalls {
  readonly #io: Io;
  readonly #ids: CallIds;
  readonly #step: string | null;
  /** By the id that the provider sends. */
  readonly #calls = new Map<string, { readonly id: string; readonly tool: string; arguments: string }>();

  constructor(io: Io, ids: CallIds, step: string | null) {
    this.#io = io;
    this.#ids = ids;
    this.#step = step;
  }

  get all(): Turn['toolCalls'] {
    return [...this.#calls.values()].map((call) => ({ ...call }));
  }

  take(chunk: CallChunk): void {
    if (chunk.type === 'tool-call') {
      const call = { id: this.#ids.take(chunk.id), tool: chunk.tool, arguments: '' };
      this.#calls.set(chunk.id, call);
      this.#io.emit({ type: 'ToolCallStarted', toolCallId: call.id, tool: call.tool, step: this.#step });
      return;
    }
    const call = this.#calls.get(chunk.id);
    if (call === undefined) return;
    call.arguments += chunk.delta;
    this.#io.emit({ type: 'ToolCallArgumentsDelta', toolCallId: call.id, delta: chunk.delta });
  }

  /** Another model begins again: what was written is void. */
  drop(): void {
    for (const { id } of this.#calls.values()) breakOff(this.#io, id);
    this.#calls.clear();
  }
}

/** Ends a call in the log that is in no turn, so that no reader waits for its result. */
export function breakOff(io: Io, toolCallId: string): void {
  const result = { error: 'The model broke off; this call was not made.' };
  sayOnce(io, { type: 'ToolCallEnded', toolCallId, arguments: null });
  sayOnce(io, { type: 'ToolCallResult', toolCallId, toolStatus: 'FAILED', result });
}
