import type { InteractionKind } from '../contracts/profile-store.ts';
import type { Deed } from '../contracts/recommendation-index.ts';
import { unit } from './similarity.ts';

/** One thing that says what a person likes: a document it has done something with, or an interest it has stated. */
export interface Evidence {
  readonly of:
    | { readonly documentId: string; readonly kind: Exclude<InteractionKind, 'DISLIKE'> }
    | { readonly interest: string };
  /** Of length 1. */
  readonly vector: Float32Array;
  /** 1: a view of just now. */
  readonly weight: number;
}

export interface Opinions {
  readonly likes: readonly Evidence[];
  /** What speaks against whatever is near to it. */
  readonly dislikes: readonly Pick<Evidence, 'vector' | 'weight'>[];
}

const weights: Readonly<Record<InteractionKind, number>> = { VIEW: 1, LIKE: 3, PURCHASE: 5, DISLIKE: 3 };
const dayMs = 86_400_000;
/** The heaviest of so many are looked at: what else there is adds little. */
const mostLikes = 64;
const mostDislikes = 16;
/** All interests together: they were stated once, and what a person does since then says more. */
const allInterests = 9;

/**
 * What the deeds of a person say. Each counts half as much after each half-life. Repeating one adds nothing but its newer date;
 * different ones on the same document add up. Of likes and dislikes of one document the newer holds, and a dislike that holds
 * speaks louder than a view or a purchase.
 */
export function opinionsOf(
  deeds: readonly Deed[],
  interests: readonly { readonly interest: string; readonly vector: Float32Array }[],
  { nowMs, halfLifeDays }: { readonly nowMs: number; readonly halfLifeDays: number },
): Opinions {
  const worth = (kind: InteractionKind, at: Date | null): number =>
    at === null ? 0 : weights[kind] * 0.5 ** (Math.max(0, nowMs - at.getTime()) / dayMs / halfLifeDays);
  const likes: Evidence[] = [];
  const dislikes: { readonly vector: Float32Array; readonly weight: number }[] = [];
  for (const { documentId, at, vector } of deeds) {
    if (vector === null) continue;
    if (at.DISLIKE !== null && (at.LIKE === null || at.LIKE < at.DISLIKE)) {
      dislikes.push({ vector: unit(vector), weight: worth('DISLIKE', at.DISLIKE) });
      continue;
    }
    const kinds = (['PURCHASE', 'LIKE', 'VIEW'] as const).filter((kind) => at[kind] !== null);
    const [kind] = kinds;
    if (kind === undefined) continue;
    const weight = kinds.reduce((sum, each) => sum + worth(each, at[each]), 0);
    likes.push({ of: { documentId, kind }, vector: unit(vector), weight });
  }
  const perInterest = Math.min(weights.LIKE, allInterests / Math.max(1, interests.length));
  return {
    likes: [
      ...heaviest(likes, mostLikes),
      ...interests.map(({ interest, vector }) => ({ of: { interest }, vector: unit(vector), weight: perInterest })),
    ],
    dislikes: heaviest(dislikes, mostDislikes),
  };
}

function heaviest<T extends { readonly weight: number }>(items: readonly T[], most: number): T[] {
  return items.toSorted((left, right) => right.weight - left.weight).slice(0, most);
}
