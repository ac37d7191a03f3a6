/** One event without its place in the log. */
export type FakeEvent = { readonly __typename: string } & Readonly<Record<string, unknown>>;

/** A run of the fake gateway: an event log that can be followed from any position, and cancelled. */
export class FakeRun {
  readonly runId: string;
  readonly kind: 'CHAT' | 'INGEST';
  readonly cancelled = new AbortController();
  /** What queries answer about the run. */
  facts: Record<string, unknown> = {};
  readonly #events: FakeEvent[] = [];
  #changed = Promise.withResolvers<void>();
  #ended = false;

  constructor(runId: string, kind: 'CHAT' | 'INGEST') {
    this.runId = runId;
    this.kind = kind;
    this.append({ __typename: 'RunStarted', kind });
  }

  append(event: FakeEvent): void {
    if (this.#ended) return;
    this.#events.push(event);
    this.#ended = ['RunFinished', 'RunFailed', 'RunCancelled'].includes(event.__typename);
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  cancel(): void {
    this.cancelled.abort();
    this.append({ __typename: 'RunCancelled', reason: 'cancelled by the client' });
  }

  record() {
    return {
      __typename: this.kind === 'CHAT' ? 'ChatRun' : 'IngestRun',
      runId: this.runId,
      kind: this.kind,
      status: 'SUCCEEDED',
      ...this.facts,
    };
  }

  async *follow(after: number): AsyncGenerator<Record<string, unknown>> {
    for (let seq = after + 1; ; seq += 1) {
      while (this.#events.length < seq && !this.#ended) await this.#changed.promise;
      const event = this.#events[seq - 1];
      if (event === undefined) return;
      yield {
        ...event,
        ...(event.__typename === 'RunFinished' ? { run: this.record() } : {}),
        runId: this.runId,
        seq,
        cursor: `cursor-${seq}`,
      };
    }
  }
}
