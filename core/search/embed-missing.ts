import type { DocumentStore, UnembeddedPassage } from '../contracts/document-store.ts';
import type { Logger } from '../contracts/logger.ts';
import type { Models } from '../models/models.ts';
import { UsageMeter } from '../models/usage/usage-meter.ts';
import { embeddedText } from './ingest.ts';

const batchSize = 16;

/**
 * Gives vectors to passages that were written without one, or whose process ended before. A passage that cannot be
 * embedded now is left to the next start, and keeps ranking by its words. Returns how many got their vector.
 */
export async function embedMissing(
  services: { readonly documents: DocumentStore; readonly models: Models; readonly logger: Logger },
  signal: AbortSignal,
): Promise<number> {
  const { documents, logger } = services;
  let embedded = 0;
  let after: string | null = null;
  while (!signal.aborted) {
    const batch: readonly UnembeddedPassage[] = await documents.unembedded(batchSize, after);
    const last = batch.at(-1);
    if (last === undefined) break;
    after = last.passageId;
    const vectors = await Promise.all(batch.map((passage) => vectorOf(services, passage, signal)));
    for (const [tenant, found] of Map.groupBy(
      vectors.filter((vector) => vector !== null),
      (vector) => vector.tenant,
    )) {
      await documents.writeVectors(tenant, found);
      embedded += found.length;
    }
  }
  if (embedded > 0) logger.info({ embedded }, 'passages without a vector were embedded');
  return embedded;
}

async function vectorOf(
  { models, logger }: { readonly models: Models; readonly logger: Logger },
  passage: UnembeddedPassage,
  signal: AbortSignal,
): Promise<{ tenant: string; passageId: string; vector: Float32Array } | null> {
  const { tenant, passageId, embeddingModel, title, text } = passage;
  try {
    const call = { tenant, meter: new UsageMeter(), signal };
    const { vector } = await models.embed(embeddingModel, embeddedText(title, text), call);
    return { tenant, passageId, vector };
  } catch (error) {
    if (!signal.aborted) logger.warn({ tenant, passageId, embeddingModel, error }, 'a passage could not be embedded');
    return null;
  }
}
