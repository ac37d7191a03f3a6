import { readdir, readFile } from 'node:fs/promises';
import type { CollectionRecord } from '../../core/contracts/collection-store.ts';
import { UsageMeter } from '../../core/models/usage/usage-meter.ts';
import { createUnchecked } from '../../core/search/create-collection.ts';
import { embedMissing } from '../../core/search/embed-missing.ts';
import { ingestDocuments } from '../../core/search/ingest.ts';
import type { DocumentInput } from '../../core/search/screen-documents.ts';
import type { Services } from '../../core/services.ts';
import type { Config } from '../config/config-schema.ts';

const tenant = 'default';
const name = 'default';
/** Its name until it is seeded, which nobody can give: a start that was cut short is gone on with by the next one. */
const unseeded = '.default';
const docsFolder = new URL('../../docs/', import.meta.url);
/** A provider that does not say in time how long its vectors are must not hold up the start. */
const dimensionsWithinMs = 5_000;

/**
 * Makes sure that the default collection is there. A new one gets Sluice's own docs, by their words only, so that the
 * first query answers something and nothing is waited for. A fault here is logged: it must not fail a start.
 */
export async function prepareDocs(services: Services, config: Config, signal: AbortSignal): Promise<void> {
  const { collections, logger } = services;
  const found = await collections.byNames(tenant, [name, unseeded], signal);
  try {
    if (!found.some((collection) => collection.name === name)) {
      const collection = found[0] ?? (await newCollection(services, signal));
      if (config.seedDocs) await seed(services, collection, signal);
      await collections.rename(tenant, collection.id, name);
    } else if (found.length > 1) {
      // Somebody made one of this name meanwhile.
      await collections.delete(tenant, unseeded);
    }
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

async function newCollection(services: Services, signal: AbortSignal): Promise<CollectionRecord> {
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(dimensionsWithinMs)]);
  try {
    return await createUnchecked(services, tenant, { name: unseeded }, inTime);
  } catch (error) {
    const embeddingModel = 'all-MiniLM-L6-v2';
    services.logger.warn(
      { error, embeddingModel },
      'the default embedding model does not answer: the default collection uses the local one',
    );
    return createUnchecked(services, tenant, { name: unseeded, embeddingModel }, signal);
  }
}

/** A collection that could not be seeded is better than none. */
async function seed(services: Services, collection: CollectionRecord, signal: AbortSignal): Promise<void> {
  const target = { collectionId: collection.id, embeddingModel: collection.embeddingModel, embed: false };
  const call = { tenant, meter: new UsageMeter(), signal };
  try {
    const { done, skipped } = await ingestDocuments(services, target, await readDocs(), call, async () => {});
    services.logger.info({ documents: done + skipped }, "the default collection holds Sluice's own docs");
  } catch (error) {
    signal.throwIfAborted();
    services.logger.error({ error }, "Sluice's own docs could not be put into the default collection");
  }
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
