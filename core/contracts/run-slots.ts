/** A run's place among those that its key, or its tenant, may have at once. */
export interface RunSlot {
  /** Idempotent. Resolves when the place can be taken by another run, or after a moment if that cannot be known. Never rejects. */
  free(): Promise<void>;
}

interface Payer {
  readonly tenant: string;
  /** The API key that pays; null: the gateway runs open, or by its static key. */
  readonly keyId: string | null;
}

/** How many runs a key or a tenant may have at once, the queued ones too: over all instances. Those of a dead one are given back. */
export interface RunSlots {
  /** RATE_LIMITED when all are taken. Null, and at once: nobody who pays has such a limit. */
  take(payer: Payer): RunSlot | null | Promise<RunSlot | null>;
  /** For a run that this instance goes on with: it has been let in, so it is never refused. */
  takeOver(payer: Payer): RunSlot | null | Promise<RunSlot | null>;
}
