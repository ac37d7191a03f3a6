/** Rings in an attempt when a call of its run was answered, so that whoever waits need not ask the database all the time. One listener. */
export class AnswerBell {
  #hasRung = false;
  #wake: () => void = () => {};

  ring(): void {
    this.#hasRung = true;
    this.#wake();
  }

  /** Before somebody looks: what is answered from here on rings again. */
  hush(): void {
    this.#hasRung = false;
  }

  /** Resolves when it rings, at once where it has since it was hushed. */
  rung(): Promise<void> {
    if (this.#hasRung) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
