import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../contracts/clock.ts';
import type { CollectionStore } from '../contracts/collection-store.ts';
import { GatewayError } from '../contracts/gateway-error.ts';
import type { Logger } from '../contracts/logger.ts';
import type { Candidate, RecommendationIndex, Taste } from '../contracts/recommendation-index.ts';
import type { CallOptions, Models } from '../models/models.ts';
import { isStorable } from '../text/normalise.ts';
import { type CheckedList, checkList, listLength, type RecommendationRequest } from './check-list.ts';
import { diversify } from './diversify.ts';
import { type Opinions, opinionsOf } from './evidence.ts';
import { facetsOf } from './facets.ts';
import { type Scored, scoreAll } from './score.ts';

export interface Recommendation extends Omit<Scored, 'vector'> {
  readonly cursor: string;
}

export interface RecommendationResult {
  readonly recommendations: readonly Recommendation[];
  readonly hasNext: boolean;
  readonly hasPrevious: boolean;
}

export interface RecommendSettings {
  /** After so many days what somebody did counts half. */
  readonly halfLifeDays: number;
  /** 0..1, see diversify.ts. */
  readonly diversity: number;
}

export interface RecommendServices {
  readonly collections: CollectionStore;
  readonly recommendationIndex: RecommendationIndex;
  readonly models: Models;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: { readonly maxFirst: number };
  readonly recommendations: RecommendSettings;
}

/** Vectors that candidates are near to: of what a person does, and of what it says it likes. */
const mostFacets = { deeds: 2, interests: 2 };

/**
 * All lists of one operation: whatever their number, they are one statement for what the profiles did, one for the candidates, and as
 * few embeddings calls as their interests fit into. One that cannot be made is an Error in its place; the others are whole.
 */
export async function recommendAll(
  services: RecommendServices,
  requests: readonly RecommendationRequest[],
  call: CallOptions,
): Promise<(RecommendationResult | Error)[]> {
  const { collections, recommendationIndex, clock, recommendations: settings } = services;
  const { tenant, signal } = call;
  // A name that PostgreSQL does not take would fail the one statement for all of them.
  const names = [...new Set(requests.map((request) => request.in).filter(isStorable))];
  const found = await collections.byNames(tenant, names, signal);
  const byName = new Map(found.map((collection) => [collection.name, collection]));
  const checked = requests.map((request) => checkList(request, byName.get(request.in), services.limits));
  const lists = checked.filter((list): list is CheckedList => !(list instanceof Error));
  const tastes = await recommendationIndex.tastes(tenant, lists, signal);
  const nowMs = clock.now();
  const opinions = await Promise.all(
    lists.map(async ({ collection }, place): Promise<Opinions> => {
      const { deeds, interests } = tastes[place] ?? nothing;
      const embedded = await embedAll(services, collection.embeddingModel, interests, call);
      return opinionsOf(deeds, embedded, { nowMs, halfLifeDays: settings.halfLifeDays });
    }),
  );
  const queries = lists.map((list, place) => ({
    ...list,
    vectors: vectorsOf(opinions[place]),
    limit: listLength,
  }));
  const candidates = await recommendationIndex.candidates(tenant, queries, signal);
  const results = new Map<CheckedList, RecommendationResult | Error>();
  for (const [place, list] of lists.entries()) {
    const [taste, own] = [tastes[place], opinions[place]];
    if (taste == null || own === undefined) results.set(list, profileNotFound());
    else results.set(list, pageOf(list, own, candidates[place] ?? [], { nowMs, ...settings }));
    // Some milliseconds of arithmetic each: whoever else waits comes in between.
    if (lists.length > 1) await setImmediate();
  }
  return checked.map((list) => (list instanceof Error ? list : (results.get(list) ?? profileNotFound())));
}

const nothing: Pick<Taste, 'deeds' | 'interests'> = { deeds: [], interests: [] };

/** An id of this tenant's that is gone, or one of nobody's: a stranger is told the same. */
export const profileNotFound = (): GatewayError => new GatewayError('NOT_FOUND', 'There is no such profile.');

/** Without interests when they cannot be embedded now: what a person did says enough, and no page should wait for a provider. */
async function embedAll(
  { models, logger }: RecommendServices,
  model: string,
  interests: readonly string[],
  call: CallOptions,
): Promise<{ readonly interest: string; readonly vector: Float32Array }[]> {
  try {
    return await Promise.all(
      interests.map(async (interest) => ({ interest, vector: (await models.embed(model, interest, call)).vector })),
    );
  } catch (error) {
    if (call.signal.aborted || !(error instanceof GatewayError)) throw error;
    logger.warn({ error, model }, 'interests could not be embedded; recommended without them');
    return [];
  }
}

function vectorsOf(opinions: Opinions | undefined): Float32Array[] {
  const likes = opinions?.likes ?? [];
  return [
    ...facetsOf(
      likes.filter(({ of }) => 'documentId' in of),
      mostFacets.deeds,
    ),
    ...facetsOf(
      likes.filter(({ of }) => 'interest' in of),
      mostFacets.interests,
    ),
  ];
}

function pageOf(
  { request, scope, shown }: CheckedList,
  opinions: Opinions,
  candidates: readonly Candidate[],
  { nowMs, diversity }: RecommendSettings & { readonly nowMs: number },
): RecommendationResult {
  const scored = scoreAll(candidates, opinions, nowMs);
  const [before, left] = [scored.filter(isShown), scored.filter((item) => !isShown(item))];
  const page = diversify(left, { before, count: request.first, diversity });
  const ids = page.map(({ documentId }) => documentId);
  return {
    recommendations: page.map(({ vector: _vector, ...item }, index) => ({
      ...item,
      cursor: shown.cursor(scope, ids.slice(0, index + 1)),
    })),
    hasNext: left.length > page.length,
    hasPrevious: !shown.isEmpty,
  };

  function isShown({ documentId }: Scored): boolean {
    return shown.has(documentId);
  }
}
