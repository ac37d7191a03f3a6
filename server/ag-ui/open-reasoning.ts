import type { AgUiEvent } from './events.ts';

/** What a model thinks, as messages of their own: each run of thoughts without a text in between is one. */
export class OpenReasoning {
  #open: string | null = null;
  #count = 0;

  think(ofMessage: string, delta: string): AgUiEvent[] {
    const opening = this.#open === null ? this.#begin(ofMessage) : [];
    const messageId = this.#open ?? '';
    return [...opening, { type: 'REASONING_MESSAGE_CONTENT', messageId, delta }];
  }

  /** What a stream that goes on must open again. */
  opened(): AgUiEvent[] {
    const messageId = this.#open;
    if (messageId === null) return [];
    return [
      { type: 'REASONING_START', messageId },
      { type: 'REASONING_MESSAGE_START', messageId, role: 'reasoning' },
    ];
  }

  close(): AgUiEvent[] {
    const messageId = this.#open;
    if (messageId === null) return [];
    this.#open = null;
    return [
      { type: 'REASONING_MESSAGE_END', messageId },
      { type: 'REASONING_END', messageId },
    ];
  }

  #begin(ofMessage: string): AgUiEvent[] {
    this.#count += 1;
    this.#open = `${ofMessage}-reasoning-${this.#count}`;
    return this.opened();
  }
}
