import { nextTick } from 'node:process';

/**
 * The searches of an operation are answered one after the other. What is asked for below their results waits, from the first answer on, for
 * the last: so that it is one statement for all of them, as if they had been answered together.
 */
export class BelowSearches {
  /** Settles when no search is open beside one that has been answered. */
  #allAnswered: Promise<unknown> = Promise.resolve();

  /** Before anybody else listens to them: whoever does asks for more. */
  follow(searches: readonly Promise<unknown>[]): void {
    let isFirst = true;
    const answered = () => {
      if (isFirst) this.#allAnswered = Promise.allSettled([this.#allAnswered, ...searches]);
      isFirst = false;
    };
    for (const search of searches) search.then(answered, answered);
  }

  /** When a DataLoader sends its batch: as it would by itself, when all that runs now has asked, but not before. */
  readonly schedule = (send: () => void): void => {
    void this.#allAnswered.then(() => nextTick(send));
  };
}
