import DataLoader from 'dataloader';
import type { CallOptions } from '../core/models/models.ts';
import { type ExplainedPage, type ExplainServices, explainPages } from '../core/recommend/explain.ts';

export type ExplanationLoader = DataLoader<ExplainedPage, readonly string[]>;

/** The sentences of whole pages, by the page itself: whichever of its edges asks first, one provider call answers all. */
export function explanationLoader(services: ExplainServices, call: CallOptions): ExplanationLoader {
  return new DataLoader((pages) => explainPages(services, pages, call), {
    name: 'explanationLoader',
    maxBatchSize: 150,
  });
}
