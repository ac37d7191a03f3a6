import { firstTokens, plainCalls, quantile, streams } from './measures.ts';
import type { Peer } from './peers.ts';
import type { BenchVendor } from './vendor-control.ts';

/** One figure of a line. */
export interface Figure {
  readonly key: string;
  readonly title: string;
  readonly digits: number;
  /** What is asked of ours, from what the relay and Portkey showed in the same run. */
  readonly aim: {
    readonly text: string;
    isMet(ours: number, relay: number, portkey: number): boolean;
  };
}

/** A line of the table: what the provider does, and what is measured of each peer, round by round. */
export interface Line {
  readonly name: string;
  readonly title: string;
  /** Plain calls have no transport of their own: one column serves both. */
  readonly byTransport: boolean;
  readonly figures: readonly Figure[];
  prepare(vendor: BenchVendor): Promise<void>;
  /** By the key of the figure. Those that begin with `added` are lessened by what the provider alone shows. */
  measure(peer: Peer): Promise<Readonly<Record<string, number>>>;
}

const pacedTokens = 500;
const unpacedTokens = 4_000;

export const lines: readonly Line[] = [
  {
    name: 'one-at-a-time',
    title: 'plain call, provider 20 ms, one at a time',
    byTransport: false,
    figures: [
      {
        key: 'addedP50',
        title: 'added p50, ms',
        digits: 2,
        aim: atMostPortkey(0.7),
      },
      { key: 'addedP99', title: 'added p99, ms', digits: 2, aim: atMostPortkey(0.7) },
    ],
    prepare: (vendor) => vendor.behave({ latencyMs: 20 }),
    measure: async (peer) => {
      const { addedMs } = await plainCalls(peer, 1, 2_500);
      return { addedP50: quantile(addedMs, 0.5), addedP99: quantile(addedMs, 0.99) };
    },
  },
  {
    name: 'throughput',
    title: 'plain call, provider 0 ms, 64 at once',
    byTransport: false,
    figures: [
      { key: 'callsPerSecond', title: 'calls/s', digits: 0, aim: atLeastPortkey(1.5) },
      { key: 'cpuUs', title: 'CPU per call, µs', digits: 0, aim: atMostPortkey(0.67) },
    ],
    prepare: (vendor) => vendor.behave({ latencyMs: 0 }),
    measure: async (peer) => {
      const { callsPerSecond, cpuUs } = await plainCalls(peer, 64, 2_000);
      return { callsPerSecond, cpuUs };
    },
  },
  {
    name: 'at-once',
    title: 'plain call, provider 20 ms, 64 at once',
    byTransport: false,
    figures: [
      { key: 'callsPerSecond', title: 'calls/s', digits: 0, aim: atLeastPortkey(1.5) },
      { key: 'addedP50', title: 'added p50, ms', digits: 1, aim: atMost(5, 'ms') },
    ],
    prepare: (vendor) => vendor.behave({ latencyMs: 20 }),
    measure: async (peer) => {
      const { callsPerSecond, addedMs } = await plainCalls(peer, 64, 2_000);
      return { callsPerSecond, addedP50: quantile(addedMs, 0.5) };
    },
  },
  {
    name: 'first-token',
    title: 'stream, one at a time',
    byTransport: true,
    figures: [{ key: 'addedP50', title: 'added time to first token p50, ms', digits: 2, aim: atMost(1.4, 'ms') }],
    prepare: (vendor) => vendor.behave({ latencyMs: 20, tokens: 8 }),
    measure: async (peer) => ({ addedP50: quantile(await firstTokens(peer, 40), 0.5) }),
  },
  {
    name: 'paced',
    title: '40 streams × 100 tokens/s',
    byTransport: true,
    figures: [
      { key: 'cpuUs', title: 'CPU per token, µs', digits: 1, aim: atMostRelay(1) },
      { key: 'latenessP99', title: 'lateness p99, ms', digits: 1, aim: atMost(55, 'ms') },
    ],
    prepare: (vendor) => vendor.behave({ tokens: pacedTokens, tokensPerSecond: 100, stamp: 'due' }),
    measure: async (peer) => {
      const { cpuUs, latenessMs } = await streams(peer, 40, pacedTokens);
      return { cpuUs, latenessP99: quantile(latenessMs, 0.99) };
    },
  },
  {
    name: 'unpaced',
    title: '32 streams, unpaced',
    byTransport: true,
    figures: [
      { key: 'cpuUs', title: 'CPU per token, µs', digits: 1, aim: atMostRelay(1.3) },
      {
        key: 'tokensPerSecond',
        title: 'tokens/s',
        digits: 0,
        aim: { text: 'none', isMet: () => true },
      },
    ],
    prepare: (vendor) => vendor.behave({ tokens: unpacedTokens }),
    measure: async (peer) => {
      const { cpuUs, tokensPerSecond } = await streams(peer, 32, unpacedTokens);
      return { cpuUs, tokensPerSecond };
    },
  },
];

function atMostPortkey(factor: number): Figure['aim'] {
  return { text: `≤ ${factor}× Portkey`, isMet: (ours, _relay, portkey) => ours <= factor * portkey };
}

function atLeastPortkey(factor: number): Figure['aim'] {
  return { text: `≥ ${factor}× Portkey`, isMet: (ours, _relay, portkey) => ours >= factor * portkey };
}

function atMostRelay(factor: number): Figure['aim'] {
  return {
    text: factor === 1 ? '≤ the relay' : `≤ ${factor}× the relay`,
    isMet: (ours, relay) => ours <= factor * relay,
  };
}

export function atMost(bound: number, unit: string): Figure['aim'] {
  return { text: `≤ ${bound} ${unit}`.trimEnd(), isMet: (ours) => ours <= bound };
}
