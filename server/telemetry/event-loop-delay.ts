import { monitorEventLoopDelay } from 'node:perf_hooks';

type IntervalHistogram = ReturnType<typeof monitorEventLoopDelay>;

const resolutionMs = 10;
const windowMs = 15_000;
/** Every stream asks before each of its writes; a percentile is a walk through the histogram. */
const keptMs = 100;

/** How late the event loop runs: p99 over the last half minute or so, in milliseconds. */
export class EventLoopDelay implements Disposable {
  #current = started();
  #previous: IntervalHistogram | null = null;
  #p99Ms = 0;
  #askAgainAt = 0;
  readonly #timer = setInterval(() => this.#turn(), windowMs).unref();

  get p99Ms(): number {
    const now = performance.now();
    if (now >= this.#askAgainAt) {
      this.#askAgainAt = now + keptMs;
      this.#p99Ms = Math.max(p99Of(this.#current), this.#previous === null ? 0 : p99Of(this.#previous));
    }
    return this.#p99Ms;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#current.disable();
  }

  #turn(): void {
    this.#current.disable();
    this.#previous = this.#current;
    this.#current = started();
  }
}

function started(): IntervalHistogram {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  histogram.enable();
  return histogram;
}

/** The histogram counts its own sampling interval as delay. */
function p99Of(histogram: IntervalHistogram): number {
  const measured = histogram.percentile(99) / 1e6;
  return Math.max(0, Math.round((measured - resolutionMs) * 100) / 100);
}
