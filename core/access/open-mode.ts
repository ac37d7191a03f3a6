import type { ApiKeyStore } from '../contracts/api-key-store.ts';
import { GatewayError } from '../contracts/gateway-error.ts';
import type { Logger } from '../contracts/logger.ts';

export interface OpenModeOptions {
  readonly store: Pick<ApiKeyStore, 'any'>;
  readonly logger: Logger;
  readonly lookEveryMs?: number;
}

const closed = new GatewayError(
  'UNAUTHENTICATED',
  'An API key was created: from now on the gateway needs one, connect again with it.',
);

/**
 * Whether the gateway is open to callers without a key. It is for as long as no key was ever created; the first one, on
 * whatever instance, closes it for good.
 */
export class OpenMode {
  readonly #options: OpenModeOptions;
  readonly #onEnds = new Set<(reason: GatewayError) => void>();
  #timer: NodeJS.Timeout | undefined;
  #isOpen = false;

  constructor(options: OpenModeOptions) {
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Opens unless there is a key, and from then on looks whether another instance has created one. */
  async open(): Promise<void> {
    this.#isOpen = !(await this.#options.store.any());
    if (this.#isOpen) this.#timer = setInterval(() => void this.#look(), this.#options.lookEveryMs ?? 2_000).unref();
  }

  /** Until it is disposed, `onEnd` is called once when the gateway is open no more. */
  hold(onEnd: (reason: GatewayError) => void): Disposable {
    const own = (reason: GatewayError): void => onEnd(reason);
    this.#onEnds.add(own);
    return { [Symbol.dispose]: () => void this.#onEnds.delete(own) };
  }

  /** Looks no more; who is in stays. */
  rest(): void {
    clearInterval(this.#timer);
  }

  /** There is a key. */
  close(): void {
    this.rest();
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const onEnd of [...this.#onEnds]) onEnd(closed);
    this.#onEnds.clear();
  }

  async #look(): Promise<void> {
    try {
      if (await this.#options.store.any()) this.close();
    } catch (error) {
      // Open as before: on loopback, where the same person sits who would create the key.
      this.#options.logger.debug({ error }, 'whether there is an API key could not be asked');
    }
  }
}
