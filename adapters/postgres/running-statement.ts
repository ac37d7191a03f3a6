import type { PoolClient } from 'pg';
import type { PreparedStatements } from './prepared-statements.ts';
import { tookTooLong } from './sql-error.ts';

export interface StatementLimits {
  /** Asks the server to stop what runs on the connection, where it can; resolves when the server has been told. */
  cancel?(client: PoolClient): Promise<void>;
  /** After so long a statement is stopped and fails as retryable. None: it may take as long as it wants. */
  readonly statementTimeoutMs?: number;
  /** Whether a statement may be sent before the one before it was answered. They still run, and are answered, in their order. */
  readonly pipelines?: boolean;
  /** Where all connections are one session, that nobody else has: what it keeps. */
  readonly prepared?: PreparedStatements;
}

/** A statement that was told to stop and gives no answer within this time has lost its server. */
const stopTimeoutMs = 2_000;

/**
 * One statement while it runs: it is told to stop when its time is up or its caller has gone.
 *
 * The time is kept here, not by PostgreSQL's `statement_timeout`: that belongs to a session, which behind a transaction-mode
 * pooler is nobody's, or to a transaction, which a lone statement would need three round trips for. And only here is it
 * noticed that the server does not answer any more.
 */
export class RunningStatement {
  readonly #client: PoolClient;
  readonly #limits: StatementLimits;
  readonly #timer: NodeJS.Timeout | undefined;
  #cut: NodeJS.Timeout | undefined;
  #told: Promise<void> | undefined;
  #isOverdue = false;
  #hasEnded = false;

  constructor(client: PoolClient, limits: StatementLimits) {
    this.#client = client;
    this.#limits = limits;
    if (!limits.statementTimeoutMs) return;
    this.#timer = setTimeout(() => {
      this.#isOverdue = true;
      this.stop();
    }, limits.statementTimeoutMs);
  }

  stop(): void {
    if (!this.#limits.cancel || this.#told || this.#hasEnded) return;
    this.#told = this.#limits.cancel(this.#client).catch(() => {});
    // Of a client with a statement under way this destroys the socket, and the statement rejects.
    this.#cut = setTimeout(() => void this.#client.end().catch(() => {}), stopTimeoutMs);
  }

  /** What its failure is called. */
  failure(name: string, error: unknown): unknown {
    return this.#isOverdue ? tookTooLong(name, this.#limits.statementTimeoutMs, error) : error;
  }

  /** After its answer. The server must have taken a request to stop before anything else runs, or it would hit that. */
  async end(): Promise<void> {
    this.#hasEnded = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#cut);
    await this.#told;
  }
}
