/** Calls under way in this process, by the run id of each: what a client's word that it cancels one finds them by. */
export class CancellableCalls {
  readonly #calls = new Map<string, AbortController>();

  /** The signal fires when the call is cancelled; until `end`. */
  begin(key: string): { readonly signal: AbortSignal; readonly end: () => void } {
    const controller = new AbortController();
    this.#calls.set(key, controller);
    return {
      signal: controller.signal,
      end: () => {
        if (this.#calls.get(key) === controller) this.#calls.delete(key);
      },
    };
  }

  cancel(key: string): void {
    this.#calls.get(key)?.abort(new DOMException('The client cancelled the call.', 'AbortError'));
  }
}
