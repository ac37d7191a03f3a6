import { randomUUID } from 'node:crypto';
import type { ChatChunk, ToolCallRequest } from '../../core/contracts/model-provider.ts';
import { isRecord } from './upstream.ts';
import { optionalText } from './wire-reply.ts';

export type ToolChunk = Extract<ChatChunk, { type: 'tool-call' | 'tool-arguments' }>;

/** What was wrong with a `tool_calls`, as `malformed` takes it. */
export const expectedToolCalls = 'a list of functions, each with a name, in `tool_calls`';

/**
 * The pieces of a stream's tool calls. OpenAI numbers parallel calls by `index` and names a call once, with its first piece.
 * Compatible servers leave the index out or give every call the same one, send calls whole, without an id, or with arguments that
 * are an object: a new id, or a name after arguments have come, begins a new call.
 */
export class ToolCallReader {
  /** By index, the call that its pieces belong to. */
  readonly #open = new Map<unknown, { readonly id: string; readonly sentId: string; hasArguments: boolean }>();

  get hasCalls(): boolean {
    return this.#open.size > 0;
  }

  /** Null: it is not what the protocol has there. */
  read(pieces: unknown): readonly ToolChunk[] | null {
    if (pieces === undefined || pieces === null) return [];
    if (!Array.isArray(pieces)) return null;
    const chunks: ToolChunk[] = [];
    for (const piece of pieces) {
      const read = this.#readPiece(piece);
      if (read === null) return null;
      chunks.push(...read);
    }
    return chunks;
  }

  #readPiece(piece: unknown): readonly ToolChunk[] | null {
    const part = isRecord(piece) ? partOf(piece) : null;
    if (part === null || !isRecord(piece)) return null;
    const { id: sentId, tool, delta } = part;
    const index = piece['index'] ?? (sentId || lastKey(this.#open));
    let call = this.#open.get(index);
    const chunks: ToolChunk[] = [];
    const isAnother =
      call !== undefined &&
      ((sentId !== '' && sentId !== call.sentId) || (tool !== '' && sentId === '' && call.hasArguments));
    if (call === undefined || isAnother) {
      if (tool === '') return null;
      call = { id: sentId || `call_${randomUUID()}`, sentId, hasArguments: false };
      this.#open.set(index, call);
      chunks.push({ type: 'tool-call', id: call.id, tool });
    }
    if (delta !== '') {
      call.hasArguments = true;
      chunks.push({ type: 'tool-arguments', id: call.id, delta });
    }
    return chunks;
  }
}

/** Of a reply that was not streamed; null: they are none. */
export function readToolCalls(sent: unknown): readonly ToolCallRequest[] | null {
  if (sent === undefined || sent === null) return [];
  if (!Array.isArray(sent)) return null;
  const calls: ToolCallRequest[] = [];
  for (const each of sent) {
    const part = isRecord(each) ? partOf(each) : null;
    if (part === null || part.tool === '') return null;
    calls.push({ id: part.id || `call_${randomUUID()}`, tool: part.tool, arguments: part.delta });
  }
  return calls;
}

interface Part {
  readonly id: string;
  readonly tool: string;
  readonly delta: string;
}

/** Empty for what a piece leaves out. */
function partOf(piece: Record<string, unknown>): Part | null {
  const called = piece['function'] ?? {};
  if (!isRecord(called)) return null;
  const [id, tool] = [optionalText(piece['id']), optionalText(called['name'])];
  const args = called['arguments'];
  const delta = isRecord(args) ? JSON.stringify(args) : optionalText(args);
  return id === undefined || tool === undefined || delta === undefined ? null : { id, tool, delta };
}

const lastKey = (map: ReadonlyMap<unknown, unknown>): unknown => [...map.keys()].at(-1) ?? 0;
