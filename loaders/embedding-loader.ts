import DataLoader from 'dataloader';
import type { CallOptions, EmbeddedText, Models } from '../core/models/models.ts';

export interface EmbeddingKey {
  readonly model: string;
  readonly text: string;
}
export type EmbeddingLoader = DataLoader<EmbeddingKey, EmbeddedText, string>;

/** Embeddings of one request; the process-wide batcher behind it joins them with everybody else's. */
export function embeddingLoader(models: Models, call: CallOptions): EmbeddingLoader {
  return new DataLoader(
    (keys) =>
      Promise.all(
        keys.map(({ model, text }) =>
          models
            .embed(model, text, call)
            .catch((error: unknown) => (error instanceof Error ? error : new Error(String(error)))),
        ),
      ),
    { name: 'embeddingLoader', maxBatchSize: 500, cacheKeyFn: ({ model, text }) => `${model}\n${text}` },
  );
}
