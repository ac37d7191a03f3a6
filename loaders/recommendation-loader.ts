import DataLoader from 'dataloader';
import type { CallOptions } from '../core/models/models.ts';
import type { RecommendationRequest } from '../core/recommend/check-list.ts';
import { type RecommendationResult, type RecommendServices, recommendAll } from '../core/recommend/recommend.ts';

export type RecommendationLoader = DataLoader<RecommendationRequest, RecommendationResult, string>;

/** All recommendations of an operation: what their profiles did is one statement, and their candidates are one. */
export function recommendationLoader(services: RecommendServices, call: CallOptions): RecommendationLoader {
  return new DataLoader((requests) => recommendAll(services, requests, call), {
    name: 'recommendationLoader',
    maxBatchSize: 150,
    cacheKeyFn: (request) => JSON.stringify(request),
  });
}
