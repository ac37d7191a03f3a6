import type { Fields } from './run-hash.ts';

export interface OwnRun {
  /** Of its claim. */
  readonly token: string;
  readonly fields: Fields;
}

/** A claim of which nobody knows whether it took effect. */
export interface Regret {
  readonly hash: string;
  readonly token: string;
}

const maxRegrets = 1_000;

/** What this process knows of the runs that it has claimed and not ended: all of it, should Redis lose them. */
export class OwnRuns {
  readonly #runs = new Map<string, OwnRun>();
  readonly #instances = new Set<string>();
  #regrets: Regret[] = [];

  of(name: string): OwnRun | undefined {
    return this.#runs.get(name);
  }

  claimed(name: string, run: OwnRun): void {
    this.#runs.set(name, run);
  }

  /** The time of the first start stays. */
  written(name: string, fields: Fields): void {
    const run = this.#runs.get(name);
    if (run === undefined) return;
    const { startedAt } = run.fields;
    this.#runs.set(name, { ...run, fields: { ...run.fields, ...fields, ...(startedAt ? { startedAt } : {}) } });
  }

  forget(name: string): void {
    this.#runs.delete(name);
  }

  /** An instance that lives in this process, whatever its lease says. */
  isInstance(instance: string): boolean {
    return this.#instances.has(instance);
  }

  addInstance(instance: string): void {
    this.#instances.add(instance);
  }

  regret(claim: Regret): void {
    if (this.#regrets.length < maxRegrets) this.#regrets.push(claim);
  }

  /** Each is given once. */
  regrets(): readonly Regret[] {
    const regrets = this.#regrets;
    this.#regrets = [];
    return regrets;
  }
}
