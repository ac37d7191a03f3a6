import type { GatewayError } from '../../contracts/gateway-error.ts';
import { cancelled, timerMs, tookTooLong } from '../calls/call-bounds.ts';
import type { CallOptions } from '../models.ts';

/** One caller that shares a call: its own signal and deadline, which concern nobody else. */
export class Seat implements Disposable {
  readonly options: CallOptions;
  /** Why it does not wait any longer; null while it does. */
  left: GatewayError | null = null;
  readonly #label: string;
  readonly #deadline: NodeJS.Timeout | null = null;
  #wake: (() => void) | null = null;

  constructor(label: string, options: CallOptions) {
    this.#label = label;
    this.options = options;
    const { signal, timeoutMs } = options;
    if (signal.aborted) this.#onAbort();
    else signal.addEventListener('abort', this.#onAbort, { once: true });
    if (timeoutMs !== undefined) {
      this.#deadline = setTimeout(() => this.#leave(tookTooLong(label, timeoutMs)), timerMs(timeoutMs));
    }
  }

  /** Resolves with the next `tell`, and when there is no reason to wait any longer. */
  news(): Promise<void> {
    return new Promise((resolve) => {
      if (this.left === null) this.#wake = resolve;
      else resolve();
    });
  }

  tell(): void {
    this.#wake?.();
    this.#wake = null;
  }

  [Symbol.dispose](): void {
    this.options.signal.removeEventListener('abort', this.#onAbort);
    if (this.#deadline !== null) clearTimeout(this.#deadline);
  }

  readonly #onAbort = (): void => this.#leave(cancelled(this.#label, this.options.signal.reason));

  #leave(reason: GatewayError): void {
    this.left ??= reason;
    this.tell();
  }
}
