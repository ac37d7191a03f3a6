import type { RunRecord } from '../../core/contracts/run-store.ts';
import { interrupted } from '../../core/runs/run-error.ts';
import type { RedisConnection } from './connection.ts';
import { type HeldRun, isUnderWay, type RecordValues, readRun } from './run-hash.ts';
import { failScript } from './run-scripts.ts';

export interface DepartedRunsOptions {
  readonly connection: RedisConnection;
  readonly hashOf: (run: RunRecord) => string;
  readonly leaseOf: (instance: string) => string;
  /** An instance of this process: it lives, whatever its lease says. */
  readonly isHere: (instance: string) => boolean;
  readonly retentionMs: number;
}

/** Until the first heartbeat has told. */
const usualLeaseMs = 10_000;

/** Ends runs whose instance has gone, when somebody asks for them. */
export class DepartedRuns {
  leaseMs = usualLeaseMs;
  readonly #options: DepartedRunsOptions;

  constructor(options: DepartedRunsOptions) {
    this.#options = options;
  }

  /** The records as they are once those that have no instance any more have ended. */
  async end(held: readonly HeldRun[]): Promise<RunRecord[]> {
    const { connection, isHere } = this.#options;
    const suspects = held.filter(({ run, instance }) => isUnderWay(run.status) && !isHere(instance));
    // Leases also expire while Redis cannot be reached: for as long as a lease their instances have time to renew them.
    const isTooEarly = suspects.length === 0 || connection.readyForMs < this.leaseMs;
    const dead = isTooEarly ? new Set<string>() : await this.#withoutLease(suspects);
    return await Promise.all(
      held.map(({ run, instance }) => (isUnderWay(run.status) && dead.has(instance) ? this.#fail(run) : run)),
    );
  }

  async #withoutLease(held: readonly HeldRun[]): Promise<Set<string>> {
    const { connection, leaseOf } = this.#options;
    const instances = [...new Set(held.map(({ instance }) => instance))];
    const leases = await Promise.all(instances.map((instance) => connection.client.exists(leaseOf(instance))));
    return new Set(instances.filter((_, place) => leases[place] === 0));
  }

  async #fail(run: RunRecord): Promise<RunRecord> {
    const { connection, hashOf, retentionMs } = this.#options;
    const args = [run.attempt, JSON.stringify(interrupted), retentionMs, this.leaseMs];
    const values = await connection.run(failScript, [hashOf(run)], args);
    return readRun(run, values as RecordValues)?.run ?? run; // what the script returns
  }
}
