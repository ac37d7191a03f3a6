import { cpuMs } from '../durability/process-cpu.ts';
import { quantile } from '../streams/vendor-process.ts';
import type { Caller, Peer } from './peers.ts';
import { Stamps } from './stamps.ts';

export interface Plain {
  readonly callsPerSecond: number;
  /** Of each call: how long it took, without the time that the provider itself had it. */
  readonly addedMs: readonly number[];
  /** Microseconds of processor time per call. */
  readonly cpuUs: number;
}

/** Plain calls, so many under way at any time, for so long. */
export async function plainCalls(peer: Peer, atOnce: number, forMs: number): Promise<Plain> {
  const addedMs: number[] = [];
  const cpuBefore = await cpuOf(peer);
  const begun = performance.now();
  const work = async () => {
    while (performance.now() - begun < forMs) {
      const sent = performance.now();
      const body = await peer.call();
      const took = performance.now() - sent;
      const held = /@(\d+\.\d+) /.exec(body)?.[1];
      if (held === undefined) throw new Error(`${peer.name} answered ${body.slice(0, 300)}`);
      addedMs.push(took - Number(held));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  const seconds = (performance.now() - begun) / 1_000;
  const cpuUs = (((await cpuOf(peer)) - cpuBefore) * 1_000) / addedMs.length;
  return { callsPerSecond: addedMs.length / seconds, addedMs, cpuUs };
}

/** Streams one after the other: until the first token, without the time that the provider had it. */
export async function firstTokens(peer: Peer, count: number): Promise<readonly number[]> {
  const addedMs: number[] = [];
  using caller = await peer.caller();
  for (let done = 0; done < count; done += 1) {
    const sent = performance.now();
    const stamps = new Stamps((held) => addedMs.push(performance.now() - sent - held));
    const ending = await caller.stream(reading(stamps)).ended;
    if (ending !== 'whole' || addedMs.length !== done + 1) throw new Error(`${peer.name} ended ${ending}`);
  }
  return addedMs;
}

export interface Streams {
  /** Microseconds of processor time per token. */
  readonly cpuUs: number;
  /** Of each token that says when it was due. */
  readonly latenessMs: readonly number[];
  readonly tokensPerSecond: number;
}

/** So many streams at once, of so many tokens each. */
export async function streams(peer: Peer, count: number, tokens: number): Promise<Streams> {
  const latenessMs: number[] = [];
  const callers = await Promise.all(Array.from({ length: count }, () => peer.caller()));
  const cpuBefore = await cpuOf(peer);
  const begun = performance.now();
  const endings = await Promise.all(
    callers.map((caller) => {
      const stamps = new Stamps((due) => latenessMs.push(performance.timeOrigin + performance.now() - due));
      return caller.stream(reading(stamps)).ended;
    }),
  );
  const seconds = (performance.now() - begun) / 1_000;
  const cpuUs = (((await cpuOf(peer)) - cpuBefore) * 1_000) / (count * tokens);
  for (const caller of callers) caller[Symbol.dispose]();
  const broken = endings.find((ending) => ending !== 'whole');
  if (broken !== undefined) throw new Error(`a stream of ${peer.name} ended ${broken}`);
  return { cpuUs, latenessMs, tokensPerSecond: (count * tokens) / seconds };
}

const begunWithinMs = 30_000;

/** Streams that have begun and are held open; each has had its first text. */
export async function holdStreams(peer: Peer, count: number): Promise<{ readonly leave: () => void }> {
  const callers = await Promise.all(Array.from({ length: count }, () => peer.caller()));
  const held = await Promise.all(callers.map((caller) => begun(caller)));
  return { leave: () => held.forEach((stream) => void stream.leave()) };
}

async function begun(caller: Caller) {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stamps = new Stamps(() => resolve());
  const stream = caller.stream(reading(stamps));
  const late = setTimeout(() => reject(new Error(`no text came within ${begunWithinMs} ms`)), begunWithinMs);
  await Promise.race([promise, stream.ended]).finally(() => clearTimeout(late));
  return stream;
}

/** The provider's own errors are seen by whoever reads the wire; stamps tell of none. */
function reading(stamps: Stamps) {
  return (text: string): null => {
    stamps.read(text);
    return null;
  };
}

async function cpuOf({ pid }: Peer): Promise<number> {
  return pid === null ? Number.NaN : cpuMs(pid);
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);
export { quantile };
