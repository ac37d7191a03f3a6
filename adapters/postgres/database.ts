import type { SQL } from './drizzle.ts';

/** Hears of every statement that was sent, begin and commit too: its name, how long it took, and whether it failed. */
export type StatementObserver = (name: string, durationMs: number, isFailed: boolean) => void;

export interface Queryable {
  /**
   * Runs one parameterised statement and returns its rows as PostgreSQL's driver reads them: timestamptz is a Date
   * (milliseconds), bigint and vector are text, jsonb is parsed.
   *
   * `name` is kebab-case, counted, and shows in errors and metrics. Aborting drops a statement that still waits for a
   * connection; one that runs is left (and cancelled where the server can) while the caller gets CANCELLED at once.
   */
  query<Row>(name: string, statement: SQL, signal?: AbortSignal): Promise<Row[]>;
}

export interface Database extends Queryable {
  /**
   * On one connection: committed when `work` resolves, rolled back when it rejects or the signal is aborted.
   * Nothing inside may use the Database itself: embedded there is one connection, it would deadlock. That throws.
   */
  transaction<T>(name: string, work: (transaction: Queryable) => Promise<T>, signal?: AbortSignal): Promise<T>;
  /**
   * One statement that only reads, under settings of PostgreSQL that hold for it alone, also behind a pooler. Names and values are
   * the program's own: they go into the text as they are. Two round trips, embedded one: the settings go out with the beginning of the
   * transaction, and its end is not waited for. Without settings it is a `query`, embedded with one plan for all values
   * (docs/decisions/0007): for long statements that leave PostgreSQL no choice.
   *
   * `onRow` is told of each row when it comes, which may be long before the last; it must not throw.
   */
  read<Row>(
    name: string,
    settings: Readonly<Record<string, string | number>>,
    statement: SQL,
    signal?: AbortSignal,
    onRow?: (row: Row) => void,
  ): Promise<Row[]>;
  /** Vectors up to this length have an index here; longer ones are compared one by one. */
  readonly longestIndexedVector: number;
  /** How often each named statement ran. For metrics, and for tests that prove batching. */
  readonly statements: ReadonlyMap<string, number>;
  /** The pool as it is now; `waiting`: statements and transactions that wait for a connection. */
  connections(): { readonly open: number; readonly idle: number; readonly waiting: number };
  /** From the last statement and the pool's state: never waits on the connection. */
  health(): { ok: boolean; detail: string | null };
  /** Waits for what runs, then closes. Safe to call twice. */
  close(): Promise<void>;
}
