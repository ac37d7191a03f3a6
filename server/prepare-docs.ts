import { readdir, readFile } from 'node:fs/promises';
import type { CollectionRecord } from '../core/contracts/collection-store.ts';
import { UsageMeter } from '../core/models/usage/usage-meter.ts';
import { createCollection } from '../core/search/create-collection.ts';
import { embedMissing } from '../core/search/embed-missing.ts';
import { ingestDocuments } from '../core/search/ingest.ts';
import type { DocumentInput } from '../core/search/screen-documents.ts';
import type { Services } from '../core/services.ts';
import type { Config } from './config-schema.ts';

const tenant = 'default';
const name = 'default';
const docsFolder = new URL('../docs/', import.meta.url);
/** A provider that does not say in time how long its vectors are must not hold up the start. */
const dimensionsWithinMs = 5_000;

/**
 * Makes sure that the default collection is there. A new one gets Sluice's own docs, by their words only, so that the
 * first query answers something and nothing is waited for. A fault here is logged: it must not fail a start.
 */
export async function prepareDocs(services: Services, config: Config, signal: AbortSignal): Promise<void> {
  const { collections, logger } = services;
  if ((await collections.byNames(tenant, [name], signal)).length > 0) return;
  try {
    const collection = await defaultCollection(services, signal);
    if (config.seedDocs) await seed(services, collection, signal);
  } catch (error) {
    logger.error({ error }, 'the default collection could not be prepared');
  }
}

/** Gives vectors to whatever has none, in the background. */
export async function embedInBackground(services: Services, signal: AbortSignal): Promise<void> {
  try {
    await embedMissing(services, signal);
  } catch (error) {
    if (!signal.aborted) services.logger.warn({ error }, 'passages without a vector could not be embedded');
  }
}

async function defaultCollection(services: Services, signal: AbortSignal): Promise<CollectionRecord> {
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(dimensionsWithinMs)]);
  try {
    return await createCollection(services, tenant, { name }, inTime);
  } catch (error) {
    const embeddingModel = 'all-MiniLM-L6-v2';
    services.logger.warn(
      { error, embeddingModel },
      'the default embedding model does not answer: the default collection uses the local one',
    );
    return createCollection(services, tenant, { name, embeddingModel }, signal);
  }
}

async function seed(services: Services, collection: CollectionRecord, signal: AbortSignal): Promise<void> {
  const documents = await readDocs();
  const target = { collectionId: collection.id, embeddingModel: collection.embeddingModel, embed: false };
  const { done } = await ingestDocuments(
    services,
    target,
    documents,
    { tenant, meter: new UsageMeter(), signal },
    async () => {},
  );
  services.logger.info({ documents: done }, "the default collection holds Sluice's own docs");
}

async function readDocs(): Promise<DocumentInput[]> {
  const files = (await readdir(docsFolder)).filter((file) => file.endsWith('.md')).sort();
  return Promise.all(
    files.map(async (file) => {
      const text = await readFile(new URL(file, docsFolder), 'utf8');
      const [, title = file] = /^# (.+)$/m.exec(text) ?? [];
      return { externalId: file, title, text, url: null, metadata: { source: 'sluice-docs' } };
    }),
  );
}
