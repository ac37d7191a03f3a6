import { type PoolClient, Query, type QueryResult } from 'pg';
import { RunningStatement, type StatementLimits } from './running-statement.ts';
import { cancelled, isConnectionFailure } from './sql-error.ts';
import { untilAborted } from './until-aborted.ts';

export interface StatementResult<Row> {
  readonly rows: Row[];
  /** What PostgreSQL says it did: `SELECT`, `COMMIT`, `ROLLBACK` … */
  readonly command: string;
}

/**
 * One connection of the pool while somebody holds it. Statements run one after the other; one whose caller has gone
 * still holds the connection until PostgreSQL has answered, since the next answer would otherwise be taken for its own.
 */
export class Connection {
  readonly #client: PoolClient;
  readonly #limits: StatementLimits;
  /** Settles, without rejecting, when everything begun so far has ended. */
  #settled: Promise<unknown> = Promise.resolve();
  #broken = false;
  /** A connection that breaks also emits; unheard, that would end the process. Its statement rejects as well. */
  readonly #onError = () => {
    this.#broken = true;
  };

  constructor(client: PoolClient, limits: StatementLimits) {
    this.#client = client;
    this.#limits = limits;
    client.on('error', this.#onError);
  }

  /** `onRow` is also told of each row as it comes. */
  async run<Row>(
    name: string,
    text: string,
    parameters: unknown[],
    signal?: AbortSignal,
    onRow?: (row: Row) => void,
  ): Promise<StatementResult<Row>> {
    let running: RunningStatement | undefined;
    const statement = async (): Promise<StatementResult<Row>> => {
      if (signal?.aborted) throw cancelled(name, signal);
      running = new RunningStatement(this.#client, this.#limits);
      try {
        // What a row looks like is the statement's affair: the caller names it, as with every SQL driver.
        return (await this.#send(
          text,
          parameters,
          onRow as ((row: unknown) => void) | undefined,
        )) as unknown as StatementResult<Row>;
      } catch (error) {
        if (isConnectionFailure(error)) this.#broken = true;
        throw running.failure(name, error);
      } finally {
        await running.end();
      }
    };
    const before = this.#settled;
    const result = this.#limits.pipelines ? statement() : before.then(statement);
    this.#settled = Promise.allSettled([before, result]);
    return await untilAborted(name, result, signal, () => running?.stop());
  }

  /** Gives the connection back once all that was begun on it has ended. A broken one is replaced by the pool. */
  async release(): Promise<void> {
    await this.#settled;
    this.#client.off('error', this.#onError);
    this.#client.release(this.#broken || this.#limits.prepared?.isFull);
  }

  /**
   * By a callback: what the driver's own promise resolves to is held until the whole heap is collected, so that V8 copies every row twice,
   * and a gateway that answers from the database pauses several times as long for its garbage (docs/performance.md).
   */
  #send(text: string, values: unknown[], onRow?: (row: unknown) => void): Promise<QueryResult> {
    const name = values.length > 0 ? this.#limits.prepared?.nameOf(text) : undefined;
    return new Promise((resolve, reject) => {
      const query = new Query(name === undefined ? { text, values } : { name, text, values }, (error, result) =>
        error ? reject(error) : resolve(result),
      );
      if (onRow !== undefined) query.on('row', onRow);
      this.#client.query(query);
    });
  }
}
