import type { CollectionStore } from '../contracts/collection-store.ts';
import type { DocumentStore } from '../contracts/document-store.ts';
import { GatewayError } from '../contracts/gateway-error.ts';
import { assertStorable, isStorable } from '../text/normalise.ts';
import { type MetadataFilterInput, parseMetadataFilter } from './metadata-filter.ts';
import { collectionNotFound } from './search.ts';

const maxIds = 1_000;

/** Deletes by external ids or by filter, exactly one of them; returns how many were there. */
export async function deleteDocuments(
  { collections, documents }: { readonly collections: CollectionStore; readonly documents: DocumentStore },
  tenant: string,
  selection: {
    readonly in: string;
    readonly externalIds?: readonly string[] | null | undefined;
    readonly filter?: MetadataFilterInput | null | undefined;
  },
): Promise<number> {
  const { externalIds, filter } = selection;
  if ((externalIds == null) === (filter == null)) {
    const given = externalIds == null ? 'neither' : 'both';
    throw new GatewayError('BAD_INPUT', `deleteDocuments needs exactly one of externalIds and filter, got ${given}.`);
  }
  if (externalIds != null && externalIds.length > maxIds) {
    throw new GatewayError('BAD_INPUT', `externalIds must hold at most ${maxIds} ids, got ${externalIds.length}.`);
  }
  assertStorable(selection.in, 'in');
  const chosen = filter == null ? null : parseMetadataFilter(filter);
  const [collection] = await collections.byNames(tenant, [selection.in]);
  if (collection === undefined) throw collectionNotFound(selection.in);
  // An id that cannot be stored was never stored.
  const ids = (externalIds ?? []).filter(isStorable);
  return documents.delete(tenant, collection.id, chosen === null ? { externalIds: ids } : { filter: chosen });
}
