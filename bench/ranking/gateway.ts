import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localProvider } from '../../adapters/local/local-provider.ts';
import { postgresCollectionStore } from '../../adapters/postgres/collection-store.ts';
import type { Database } from '../../adapters/postgres/database.ts';
import { postgresDocumentStore } from '../../adapters/postgres/document-store.ts';
import { openDatabase } from '../../adapters/postgres/open-database.ts';
import { postgresSearchIndex } from '../../adapters/postgres/search-index.ts';
import type { SearchIndex } from '../../core/contracts/search-index.ts';
import { createModels } from '../../core/models/create-models.ts';
import { UsageMeter } from '../../core/models/usage/usage-meter.ts';
import { ingestDocuments } from '../../core/search/ingest.ts';
import type { JudgedDocument } from './collection.ts';

/** The gateway's own parts for ingest and search, over an empty embedded database that goes with it. */
export interface RankingGateway extends AsyncDisposable {
  readonly tenant: string;
  readonly collectionId: string;
  readonly embeddingModel: string;
  readonly database: Database;
  readonly searchIndex: SearchIndex;
  /** Through the gateway's ingest path; returns how many passages there are then. */
  ingest(documents: readonly JudgedDocument[]): Promise<number>;
  embed(text: string): Promise<Float32Array>;
}

const tenant = 'bench';

export async function openRankingGateway(): Promise<RankingGateway> {
  await using opened = new AsyncDisposableStack();
  const dataDir = await mkdtemp(join(tmpdir(), 'sluice-ranking-'));
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  const database = await openDatabase({ dataDir });
  opened.defer(() => database.close());
  const provider = localProvider();
  opened.defer(() => provider.close());
  const [embedding, chat] = await listedModels(provider);
  const models = createModels({ providers: [{ provider, chatModel: chat, embeddingModel: embedding }] });
  opened.defer(() => models.close());
  await provider.ready;

  const call = { tenant, meter: new UsageMeter(), signal: new AbortController().signal };
  const embeddingModel = models.defaultEmbeddingModel;
  const dimensions = await models.embeddingDimensions(embeddingModel, call.signal);
  const collections = postgresCollectionStore(database);
  const collection = await collections.create(tenant, { name: 'ranking', embeddingModel, dimensions });
  const parts = opened.move();

  return {
    tenant,
    collectionId: collection.id,
    embeddingModel,
    database,
    searchIndex: postgresSearchIndex(database),
    async ingest(documents) {
      const { done, failures } = await ingestDocuments(
        { documents: postgresDocumentStore(database), models },
        { collectionId: collection.id, embeddingModel, embed: true },
        documents.map((document) => ({ ...document, url: null, metadata: {} })),
        call,
        async () => {},
      );
      if (done !== documents.length)
        throw new Error(`${done} of ${documents.length} ingested: ${JSON.stringify(failures)}`);
      const counts = await collections.counts(tenant, [collection.id]);
      return counts.get(collection.id)?.passages ?? 0;
    },
    embed: async (text) => (await models.embed(embeddingModel, text, call)).vector,
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

/** What the provider lists, as a gateway without configuration takes it. */
async function listedModels(provider: ReturnType<typeof localProvider>): Promise<[embedding: string, chat: string]> {
  const listed = await provider.models(AbortSignal.timeout(10_000));
  const named = (capability: 'EMBEDDING' | 'CHAT') =>
    listed.find((model) => model.capabilities.includes(capability))?.name ?? '';
  return [named('EMBEDDING'), named('CHAT')];
}
