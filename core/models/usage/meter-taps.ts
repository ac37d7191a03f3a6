import type { Usage } from '../../contracts/usage.ts';
import type { CallOptions } from '../models.ts';
import type { Spent } from '../models-options.ts';
import { UsageMeter } from './usage-meter.ts';

/** Puts itself between a call and its caller's meter, so that whoever keeps the books hears of every call. */
export class MeterTaps {
  readonly #onUsage: ((spent: Spent) => unknown) | undefined;
  /** One per meter and model: a batch bills each meter once. */
  readonly #taps = new WeakMap<UsageMeter, Map<string, UsageMeter>>();

  constructor(onUsage: ((spent: Spent) => unknown) | undefined) {
    this.#onUsage = onUsage;
  }

  meter(model: string, { tenant, meter }: CallOptions): UsageMeter {
    const onUsage = this.#onUsage;
    if (onUsage === undefined) return meter;
    const taps = this.#taps.get(meter) ?? new Map<string, UsageMeter>();
    this.#taps.set(meter, taps);
    const tap = taps.get(model) ?? new Tap(meter, (usage) => onUsage({ tenant, model, usage }));
    taps.set(model, tap);
    return tap;
  }
}

class Tap extends UsageMeter {
  readonly #meter: UsageMeter;
  readonly #heard: (usage: Usage) => void;

  constructor(meter: UsageMeter, heard: (usage: Usage) => void) {
    super();
    this.#meter = meter;
    this.#heard = heard;
  }

  override addUsage(usage: Usage): void {
    this.#meter.addUsage(usage);
    this.#heard(usage);
  }
}
