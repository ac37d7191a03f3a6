import { startChild } from '../durability/child.ts';

/** How the provider answers every call from now on. */
export interface VendorBehaviour {
  /** Before the headers. */
  readonly latencyMs: number;
  /** So many calls are answered together, `latencyMs` after the last of them has come; 0: each by itself. */
  readonly together: number;
  readonly tokens: number;
  /** 0: as fast as the socket takes them. */
  readonly tokensPerSecond: number;
  /**
   * held: the first token says how long the provider has had the call by then, in ms. due: every token of a paced stream says when
   * it was due, in ms since the epoch.
   */
  readonly stamp: 'held' | 'due';
  /** What comes after the last token. cut: the socket goes, without a finish. silent: nothing, for ever. */
  readonly end: 'whole' | 'cut' | 'silent';
  /** So many calls get 429 with `Retry-After: 2` first. */
  readonly refusals: number;
}

export interface VendorState {
  /** Calls that have not been answered to their end, and whose caller is still there. */
  readonly open: number;
  /** When calls came since the behaviour was set, in ms since the epoch. */
  readonly arrivals: readonly number[];
}

export interface BenchVendor extends AsyncDisposable {
  /** The base URL, with /v1. */
  readonly url: string;
  behave(behaviour: Partial<VendorBehaviour>): Promise<void>;
  state(): Promise<VendorState>;
}

const usual: VendorBehaviour = {
  latencyMs: 0,
  together: 0,
  tokens: 16,
  tokensPerSecond: 0,
  stamp: 'held',
  end: 'whole',
  refusals: 0,
};

export async function startBenchVendor(): Promise<BenchVendor> {
  const child = await startChild('../gateways/vendor.ts');
  return {
    url: `${child.url}/v1`,
    behave: async (behaviour) => {
      await fetch(`${child.url}/behaviour`, { method: 'PUT', body: JSON.stringify({ ...usual, ...behaviour }) });
    },
    state: async () => (await (await fetch(`${child.url}/state`)).json()) as VendorState,
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}
