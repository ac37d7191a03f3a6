import type { WebSocket } from 'ws';
import type { Operation } from '../telemetry/operations/operation.ts';

interface OpenOperation {
  readonly controller: AbortController;
  readonly operation: Operation;
}

/**
 * The operations under way on one socket, each with its own signal. An iterator that is blocked in an await cannot be
 * returned: without the signal, a `complete` frame or a closed socket would leave the provider call running.
 */
export class SocketOperations {
  readonly #open = new Map<string, OpenOperation>();
  #idle = Promise.withResolvers<void>();

  constructor(socket: WebSocket) {
    socket.on('message', (data) => {
      const id = completedId(String(data));
      if (id !== null) this.#leave(id);
    });
    socket.once('close', () => {
      for (const id of [...this.#open.keys()]) this.#leave(id);
    });
  }

  get size(): number {
    return this.#open.size;
  }

  of(id: string): Operation | undefined {
    return this.#open.get(id)?.operation;
  }

  begin(id: string, operation: Operation): AbortSignal {
    const controller = new AbortController();
    if (this.size === 0) this.#idle = Promise.withResolvers();
    this.#open.set(id, { controller, operation });
    return controller.signal;
  }

  /** Harmless for an operation that has ended by itself: nothing listens any more. */
  end(id: string): void {
    const open = this.#open.get(id);
    open?.controller.abort(new DOMException('The client ended the operation.', 'AbortError'));
    open?.operation.end();
    this.#open.delete(id);
    if (this.size === 0) this.#idle.resolve();
  }

  /** The client has gone, or has said that it wants no more. */
  #leave(id: string): void {
    this.of(id)?.failed('CANCELLED');
    this.end(id);
  }

  /** Resolves when none is under way; at once when that is so already. */
  async whenIdle(): Promise<void> {
    if (this.size > 0) await this.#idle.promise;
  }
}

/** Of a graphql-ws `complete` message; null for every other one, most of them without parsing. */
function completedId(message: string): string | null {
  if (message.length > 1_000 || !message.includes('"complete"')) return null;
  try {
    const parsed: unknown = JSON.parse(message);
    const isComplete = typeof parsed === 'object' && parsed !== null && 'type' in parsed && parsed.type === 'complete';
    return isComplete && 'id' in parsed && typeof parsed.id === 'string' ? parsed.id : null;
  } catch {
    return null;
  }
}
