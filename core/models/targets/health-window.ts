const windowSeconds = 60;
const latencySamples = 256;

export interface WindowSummary {
  readonly callsLastMinute: number;
  readonly errorRate: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
}

/**
 * The last minute of one target, in memory of a fixed size: calls and errors per second, and its newest 256 latencies.
 * A call is one provider call, so a retry counts again. A latency is the time until the first chunk of a stream, or the whole
 * of an embedding call; that of an unstreamed generation is left out, since it is mostly the length of the text.
 */
export class HealthWindow {
  readonly #seconds = new Float64Array(windowSeconds);
  readonly #calls = new Uint32Array(windowSeconds);
  readonly #errors = new Uint32Array(windowSeconds);
  readonly #latencies = new Float64Array(latencySamples);
  readonly #latencyAt = new Float64Array(latencySamples).fill(Number.NEGATIVE_INFINITY);
  #nextLatency = 0;

  /** Null: a call whose latency says nothing. */
  countSuccess(latencyMs: number | null): void {
    this.#bucket(this.#calls);
    if (latencyMs === null) return;
    this.#latencies[this.#nextLatency] = latencyMs;
    this.#latencyAt[this.#nextLatency] = Date.now();
    this.#nextLatency = (this.#nextLatency + 1) % latencySamples;
  }

  countFailure(): void {
    this.#bucket(this.#calls);
    this.#bucket(this.#errors);
  }

  /** A stream that had been counted as a success broke later. */
  countBreak(): void {
    this.#bucket(this.#errors);
  }

  summary(): WindowSummary {
    const now = Date.now();
    const second = Math.floor(now / 1000);
    let calls = 0;
    let errors = 0;
    for (const [index, at] of this.#seconds.entries()) {
      if (at <= second - windowSeconds) continue;
      calls += this.#calls[index] ?? 0;
      errors += this.#errors[index] ?? 0;
    }
    const recent = this.#recent(now);
    return {
      callsLastMinute: calls,
      errorRate: Math.min(1, errors / Math.max(1, calls)),
      p50Ms: percentile(recent, 0.5),
      p95Ms: percentile(recent, 0.95),
    };
  }

  /** Of the last minute's latencies; null: there were none. */
  percentile(share: number): number | null {
    return percentile(this.#recent(Date.now()), share);
  }

  #recent(now: number): Float64Array {
    return this.#latencies.filter((_, index) => (this.#latencyAt[index] ?? 0) > now - windowSeconds * 1000).sort();
  }

  #bucket(counts: Uint32Array): void {
    const second = Math.floor(Date.now() / 1000);
    const index = second % windowSeconds;
    if (this.#seconds[index] !== second) {
      this.#seconds[index] = second;
      this.#calls[index] = 0;
      this.#errors[index] = 0;
    }
    counts[index] = (counts[index] ?? 0) + 1;
  }
}

function percentile(sorted: Float64Array, share: number): number | null {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null;
}
