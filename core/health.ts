export interface ComponentHealth {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string | null;
}

/** From what the parts already know: reading it never waits for the database or the network. */
export interface HealthReport {
  readonly ok: boolean;
  readonly version: string;
  readonly components: readonly ComponentHealth[];
  readonly eventLoopDelayP99Ms: number;
}
