import { AsyncLocalStorage } from 'node:async_hooks';
import type { Pool } from 'pg';
import { GatewayError } from '../../core/contracts/gateway-error.ts';
import { Connection, type StatementResult } from './connection.ts';
import type { Database, Queryable, StatementObserver } from './database.ts';
import { PgDialect, type SQL } from './drizzle.ts';
import type { StatementLimits } from './running-statement.ts';
import { cancelled, isConnectionFailure, toGatewayError } from './sql-error.ts';
import { tracedStatement } from './statement-span.ts';
import { untilAborted } from './until-aborted.ts';

/** What is below the pool. */
export interface DatabaseServer extends StatementLimits {
  /** How a transaction begins, where not by `begin` alone. */
  readonly begin?: string;
  readonly longestIndexedVector: number;
  /** Of every `read`, beside its own. */
  readonly readSettings?: Readonly<Record<string, string | number>>;
  /** Ends what runs statements of its own; called first when the database is closed. */
  stop?(): void;
  /** Why nothing can work any more; null as long as it can. */
  fatal?(): string | null;
  close?(): Promise<void>;
}

interface TransactionScope {
  readonly name: string;
  open: boolean;
}

const dialect = new PgDialect();

/** A Database over a `pg` pool: the same for PGlite (one connection) and PostgreSQL. */
export class PooledDatabase implements Database {
  readonly longestIndexedVector: number;
  readonly statements: Map<string, number> = new Map();
  readonly #pool: Pool;
  readonly #server: DatabaseServer;
  readonly #onStatement: StatementObserver | undefined;
  /** The transaction that the calling code runs inside of: the guard against waiting for oneself. */
  readonly #inside = new AsyncLocalStorage<TransactionScope>();
  readonly #busy = new Set<Promise<unknown>>();
  #lastFailure: string | null = null;
  #closing: Promise<void> | null = null;

  constructor(pool: Pool, server: DatabaseServer, onStatement?: StatementObserver) {
    this.#pool = pool;
    this.#server = server;
    this.#onStatement = onStatement;
    this.longestIndexedVector = server.longestIndexedVector;
    // An idle connection that breaks emits here; unheard, it would end the process. The pool replaces it by itself.
    pool.on('error', (error) => {
      this.#lastFailure = error.message;
    });
  }

  query<Row>(name: string, statement: SQL, signal?: AbortSignal): Promise<Row[]> {
    return this.#withConnection(name, signal, (connection) => this.#run<Row>(connection, name, statement, signal));
  }

  transaction<T>(name: string, work: (transaction: Queryable) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#withConnection(name, signal, async (connection) => {
      const scope: TransactionScope = { name, open: true };
      const transaction: Queryable = {
        query: async <Row>(statementName: string, statement: SQL, own?: AbortSignal) => {
          if (!scope.open) throw new GatewayError('INTERNAL', `${statementName} came after the end of ${name}`);
          return await this.#run<Row>(connection, statementName, statement, either(own, signal));
        },
      };
      try {
        await this.#execute(connection, name, this.#server.begin ?? 'begin', [], signal);
        const result = await this.#inside.run(scope, () => work(transaction));
        if (signal?.aborted) throw cancelled(name, signal);
        // Not abortable: once it is sent, whether it was committed must be known.
        const { command } = await this.#execute(connection, name, 'commit', []);
        if (command !== 'COMMIT') throw new GatewayError('INTERNAL', `${name} was rolled back: a statement failed`);
        return result;
      } catch (error) {
        const undone = connection.run(name, 'rollback', []).catch(() => {});
        if (!signal?.aborted) await undone;
        throw error;
      } finally {
        scope.open = false;
      }
    });
  }

  read<Row>(
    name: string,
    settings: Readonly<Record<string, string | number>>,
    statement: SQL,
    signal?: AbortSignal,
    onRow?: (row: Row) => void,
  ): Promise<Row[]> {
    const all = Object.entries({ ...settings, ...this.#server.readSettings });
    const set = all.map(([setting, value]) => `set local ${setting} = ${value}`);
    const begin = [this.#server.begin ?? 'begin', ...set].join('; ');
    return this.#withConnection(name, signal, async (connection) => {
      if (all.length === 0) return await this.#run<Row>(connection, name, statement, signal, onRow);
      const begun = this.#execute(connection, name, begin, [], signal);
      try {
        if (!this.#server.pipelines) await begun;
        const [rows] = await Promise.all([this.#run<Row>(connection, name, statement, signal, onRow), begun]);
        return rows;
      } finally {
        // What was read is whole: the caller need not wait. The connection is held until this has ended.
        void this.#execute(connection, name, 'commit', []).catch(() => {});
      }
    });
  }

  connections(): ReturnType<Database['connections']> {
    const { totalCount, idleCount, waitingCount } = this.#pool;
    return { open: totalCount, idle: idleCount, waiting: waitingCount };
  }

  health(): { ok: boolean; detail: string | null } {
    const detail = this.#server.fatal?.() ?? this.#lastFailure;
    return { ok: detail === null, detail };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#server.stop?.();
    while (this.#busy.size > 0) await Promise.all(this.#busy);
    await this.#pool.end();
    await this.#server.close?.();
  }

  async #withConnection<T>(
    name: string,
    signal: AbortSignal | undefined,
    work: (connection: Connection) => Promise<T>,
  ): Promise<T> {
    this.#refuse(name, signal);
    const released = Promise.withResolvers<void>();
    this.#busy.add(released.promise);
    const connecting = this.#pool.connect();
    let connection: Connection | undefined;
    try {
      const client = await untilAborted(name, connecting, signal);
      connection = new Connection(client, this.#server);
      return await work(connection);
    } catch (error) {
      // What `work` throws is its own affair and stays as it is.
      throw connection ? error : this.#failed(name, error);
    } finally {
      // One that comes after its caller has gone goes back unused.
      const release = connection?.release() ?? connecting.then((client) => client.release());
      const done = () => {
        this.#busy.delete(released.promise);
        released.resolve();
      };
      release.then(done, done);
    }
  }

  #refuse(name: string, signal: AbortSignal | undefined): void {
    if (signal?.aborted) throw cancelled(name, signal);
    const outer = this.#inside.getStore();
    if (outer?.open) {
      throw new GatewayError(
        'INTERNAL',
        `${name} would wait for the transaction ${outer.name} that it runs in: use the transaction's own query`,
      );
    }
    const fatal = this.#server.fatal?.() ?? (this.#closing ? 'the database is closed' : null);
    if (fatal) throw new GatewayError('INTERNAL', `${name} failed: ${fatal}`);
  }

  async #run<Row>(
    connection: Connection,
    name: string,
    statement: SQL,
    signal?: AbortSignal,
    onRow?: (row: Row) => void,
  ): Promise<Row[]> {
    const { sql, params } = dialect.sqlToQuery(statement);
    this.statements.set(name, (this.statements.get(name) ?? 0) + 1);
    const { rows } = await this.#execute<Row>(connection, name, sql, params, signal, onRow);
    this.#lastFailure = null;
    return rows;
  }

  async #execute<Row>(
    connection: Connection,
    name: string,
    text: string,
    parameters: unknown[],
    signal?: AbortSignal,
    onRow?: (row: Row) => void,
  ): Promise<StatementResult<Row>> {
    const sentAt = performance.now();
    let isFailed = true;
    try {
      const result = await tracedStatement(name, () => connection.run<Row>(name, text, parameters, signal, onRow));
      isFailed = false;
      return result;
    } catch (error) {
      throw this.#failed(name, error);
    } finally {
      this.#onStatement?.(name, performance.now() - sentAt, isFailed);
    }
  }

  #failed(name: string, error: unknown): GatewayError {
    if (isConnectionFailure(error)) this.#lastFailure = error instanceof Error ? error.message : String(error);
    return toGatewayError(name, error);
  }
}

function either(a: AbortSignal | undefined, b: AbortSignal | undefined): AbortSignal | undefined {
  if (a && b && a !== b) return AbortSignal.any([a, b]);
  return a ?? b;
}
