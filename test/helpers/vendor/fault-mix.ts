import type { Behaviour } from './behaviour.ts';

/** The five ways in which vendors fail before a token has come; all but the last are failures of the call. */
export const faults = {
  'rate limit': { status: 429, headers: { 'retry-after': '1' } },
  'server error': { status: 500 },
  'cut before the first token': { cutAfter: 0 },
  silence: { silentAfter: 0 },
  slow: { firstTokenMs: 150 },
} as const satisfies Readonly<Record<string, Behaviour>>;

/** Behaviours for so many calls, a share of them at fault in turns of the kinds; in an order that the seed decides. */
export function faultMix(
  calls: number,
  share: number,
  seed: number,
  kinds: readonly Behaviour[] = Object.values(faults),
): Behaviour[] {
  const random = seeded(seed);
  let next = 0;
  return Array.from({ length: calls }, () => (random() < share ? (kinds[next++ % kinds.length] ?? {}) : {}));
}

/** 0..1, the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
