import type { InteractionKind } from '../contracts/profile-store.ts';

/*
 * The popularity of a document is the number of people who did something with it, weighed by what they did and how long ago: half
 * as much for each half-life. All of them fade at the same pace, so that what is stored need not be touched as time goes by: a level
 * says how much would have to happen at the epoch, as a power of two, to be worth as much.
 *
 *     level = log2(Σ weight · 2^(days since the epoch ÷ half-life))
 *
 * Levels are ordered as popularities are, whatever the time is, and are added in any order.
 */
const halfLifeDays = 30;
const dayMs = 86_400_000;

/** A dislike is no sign of popularity, nor of the opposite: it says something about the person. */
const weights: Readonly<Record<InteractionKind, number | null>> = { VIEW: 1, LIKE: 3, PURCHASE: 5, DISLIKE: null };

/** What one person's interaction adds; null: nothing. */
export function popularityLevel(kind: InteractionKind, at: Date): number | null {
  const weight = weights[kind];
  return weight === null ? null : Math.log2(weight) + levelOfTime(at.getTime());
}

/** How much has happened, in views of just now. */
export function popularityAt(level: number, nowMs: number): number {
  return 2 ** (level - levelOfTime(nowMs));
}

const levelOfTime = (ms: number): number => ms / dayMs / halfLifeDays;
