import DataLoader from 'dataloader';
import type { RunKey } from '../contracts/event-log.ts';
import type { RunRecord, RunStore } from '../contracts/run-store.ts';

const maxBatchSize = 500;

/**
 * Finds runs in the store, for whoever asks for one. While a statement is under way the next one is gathered, so that a
 * thousand starts or waiting followers cost a handful of statements, and one alone waits for nothing.
 */
export class RunLookups {
  readonly #store: Pick<RunStore, 'byRunIds'>;
  readonly #loader: DataLoader<RunKey, RunRecord | null>;
  #underWay: Promise<unknown> = Promise.resolve();

  constructor(store: Pick<RunStore, 'byRunIds'>) {
    this.#store = store;
    this.#loader = new DataLoader((keys) => this.#find(keys), {
      name: 'runLookups',
      maxBatchSize,
      // A run changes while it is looked for.
      cache: false,
      batchScheduleFn: (dispatch) => void this.#underWay.then(dispatch),
    });
  }

  find(key: RunKey): Promise<RunRecord | null> {
    return this.#loader.load(key);
  }

  async #find(keys: readonly RunKey[]): Promise<(RunRecord | null)[]> {
    const tenants = Map.groupBy(keys, ({ tenant }) => tenant);
    const statements = Promise.all(
      tenants.entries().map(async ([tenant, ofTenant]) => {
        const runIds = [...new Set(ofTenant.map(({ runId }) => runId))];
        const runs = await this.#store.byRunIds(tenant, runIds);
        return [tenant, new Map(runs.map((run) => [run.runId, run]))] as const;
      }),
    );
    this.#underWay = statements.catch(() => {});
    const found = new Map(await statements);
    return keys.map(({ tenant, runId }) => found.get(tenant)?.get(runId) ?? null);
  }
}
