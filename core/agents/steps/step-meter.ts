import type { Usage } from '../../contracts/usage.ts';
import { UsageMeter } from '../../models/usage/usage-meter.ts';

/** Counts what one step costs, and counts it in its run at the same time, so that the run's limits see it. */
export class StepMeter extends UsageMeter {
  readonly #run: UsageMeter;
  readonly #spent: () => void;

  constructor(run: UsageMeter, spent: () => void) {
    super();
    this.#run = run;
    this.#spent = spent;
  }

  override addUsage(other: Usage): void {
    super.addUsage(other);
    this.#run.addUsage(other);
    this.#spent();
  }
}
