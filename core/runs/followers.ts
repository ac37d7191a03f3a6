import type { RunKey } from '../contracts/event-log.ts';
import type { RunSignals } from '../contracts/run-signals.ts';
import type { LiveRun } from './live-run.ts';
import { mapKey } from './run-key.ts';
import { Watchers } from './watchers.ts';

/** Who follows runs here: told to the run itself where it is executed here, and to the other instances where it is not. */
export class Followers {
  readonly #signals: RunSignals;
  readonly #liveRun: (key: RunKey) => LiveRun | undefined;
  readonly #watchers = new Watchers((key, count) => this.#changed(key, count));
  /** Of the runs that are followed here and executed elsewhere. */
  readonly #presences = new Map<string, Disposable>();

  constructor(signals: RunSignals, liveRun: (key: RunKey) => LiveRun | undefined) {
    this.#signals = signals;
    this.#liveRun = liveRun;
  }

  count(key: RunKey): number {
    return this.#watchers.count(key);
  }

  watch(key: RunKey): Disposable {
    return this.#watchers.watch(key);
  }

  /** The run is not executed here any more: its followers count elsewhere from now on. */
  moved(key: RunKey): void {
    this.#changed(key, this.count(key));
  }

  #changed(key: RunKey, count: number): void {
    const live = this.#liveRun(key);
    live?.watchedBy(count);
    const id = mapKey(key);
    const presence = this.#presences.get(id);
    if (count === 0) {
      this.#presences.delete(id);
      presence?.[Symbol.dispose]();
    } else if (presence === undefined && live === undefined) {
      this.#presences.set(id, this.#signals.follow({ tenant: key.tenant, runId: key.runId }));
    }
  }
}
