/** A text that comes so often is one of the program's own, and not one that a caller's filter made. */
const timesBefore = 2;
/** How many texts are counted; beyond it counting begins anew. */
const mostCounted = 1_000;

/**
 * Which statements a session keeps parsed and planned, by name: of long ones that took the embedded database longer than to run them.
 *
 * Only for the session that all statements share (docs/decisions/0007). PostgreSQL keeps each in memory until the session ends or forgets
 * all of them, so there is room for so many; when it is full, the connection is to be replaced.
 */
export class PreparedStatements {
  readonly #most: number;
  readonly #names = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Undefined for a text that is to be parsed when it comes, and then forgotten. */
  nameOf(text: string): string | undefined {
    const name = this.#names.get(text);
    if (name !== undefined || this.isFull) return name;
    const count = this.#counts.get(text) ?? 0;
    if (count < timesBefore) {
      if (this.#counts.size >= mostCounted) this.#counts.clear();
      this.#counts.set(text, count + 1);
      return undefined;
    }
    this.#counts.delete(text);
    const added = `s${this.#names.size}`;
    this.#names.set(text, added);
    return added;
  }

  get isFull(): boolean {
    return this.#names.size >= this.#most;
  }

  /** For the next connection, to which PostgreSQL must not know a name. */
  forget(): void {
    this.#names.clear();
  }
}
