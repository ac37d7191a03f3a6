import { setTimeout as pause } from 'node:timers/promises';
import type { Peer } from './peers.ts';
import type { BenchVendor } from './vendor-control.ts';

const patienceMs = 10_000;

/** What becomes of a stream that the provider cuts, of one that falls silent, and of `Retry-After: 2`: each in a few words. */
export interface Behaved {
  readonly cut: string;
  readonly silent: string;
  readonly retryAfter: string;
}

export async function observe(peer: Peer, vendor: BenchVendor): Promise<Behaved> {
  await vendor.behave({ tokens: 5, end: 'cut', tokensPerSecond: 100 });
  const cut = await ending(peer);
  await vendor.behave({ tokens: 5, end: 'silent', tokensPerSecond: 100 });
  const silent = await ending(peer);
  await vendor.behave({ refusals: 1 });
  const answer = await peer.call().then(
    () => 'answered',
    () => 'failed',
  );
  const { arrivals } = await vendor.state();
  const [first, second] = arrivals;
  const retried = first === undefined || second === undefined ? 'not tried again' : seconds(second - first);
  return { cut, silent, retryAfter: `${answer}; ${retried}` };
}

async function ending(peer: Peer): Promise<string> {
  using caller = await peer.caller();
  const begun = performance.now();
  const stream = caller.stream(() => null);
  const patience = new AbortController();
  const late = pause(patienceMs, `still waiting after ${patienceMs / 1_000} s`, { signal: patience.signal });
  late.catch(() => {});
  const how = await Promise.race([stream.ended, late]);
  patience.abort();
  stream.leave();
  return how.startsWith('still') ? how : `${how} after ${seconds(performance.now() - begun)}`;
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
