import type { CollectionRecord, CollectionStore } from '../contracts/collection-store.ts';
import { GatewayError } from '../contracts/gateway-error.ts';
import type { Models } from '../models/models.ts';

export interface CreateCollection {
  readonly name: string;
  readonly embeddingModel?: string | null | undefined;
}

/** Names are what people type: letters, digits, `.`, `_`, `-`. The model's vector length is asked of it when unknown. */
export async function createCollection(
  { collections, models }: { readonly collections: CollectionStore; readonly models: Models },
  tenant: string,
  { name, embeddingModel }: CreateCollection,
  signal: AbortSignal,
): Promise<CollectionRecord> {
  if (!/^[\p{L}\p{N}][\p{L}\p{N}._-]{0,99}$/u.test(name)) {
    throw new GatewayError(
      'BAD_INPUT',
      `name must be 1–100 letters, digits, ".", "_" or "-", beginning with a letter or digit, got "${name.slice(0, 100)}".`,
    );
  }
  return createUnchecked({ collections, models }, tenant, { name, embeddingModel }, signal);
}

/** Under whatever name: one that nobody can give is nobody's yet. */
export async function createUnchecked(
  { collections, models }: { readonly collections: CollectionStore; readonly models: Models },
  tenant: string,
  { name, embeddingModel }: CreateCollection,
  signal: AbortSignal,
): Promise<CollectionRecord> {
  const model = embeddingModel ?? models.defaultEmbeddingModel;
  const dimensions = await models.embeddingDimensions(model, signal);
  return collections.create(tenant, { name, embeddingModel: model, dimensions });
}
