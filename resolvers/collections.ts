import type { Context } from '../context.ts';
import type { CollectionRecord } from '../core/contracts/collection-store.ts';
import type { DocumentRecord } from '../core/contracts/document-store.ts';
import { type CreateCollection, createCollection as createCollectionInCore } from '../core/search/create-collection.ts';
import { deleteDocuments as deleteDocumentsInCore } from '../core/search/delete-documents.ts';
import { type MetadataFilterInput, parseMetadataFilter } from '../core/search/metadata-filter.ts';
import { collectionNotFound } from '../core/search/search.ts';
import { assertStorable } from '../core/text/normalise.ts';
import { type Connection, connectionOf, type PageArgs, pageOf } from './connection.ts';
import { orNull } from './found.ts';

export async function listCollections(args: PageArgs, { services, principal, signal }: Context) {
  const scope = `collections:${principal.tenant}`;
  const page = pageOf(scope, args, services.limits.maxFirst);
  return connectionOf(scope, await services.collections.list(principal.tenant, page, signal), args);
}

export async function findCollection({ name }: { readonly name: string }, { loaders }: Context) {
  // Before the loader puts it into one statement with the names of the other aliases.
  assertStorable(name, 'name');
  return orNull(loaders.collectionByName.load(name));
}

export function createCollection(input: CreateCollection, { services, principal, signal }: Context) {
  return createCollectionInCore(services, principal.tenant, input, signal);
}

export async function deleteCollection({ name }: { readonly name: string }, { services, principal }: Context) {
  assertStorable(name, 'name');
  const deletedCount = await services.collections.delete(principal.tenant, name);
  if (deletedCount === null) throw collectionNotFound(name);
  return { deletedCount };
}

export async function deleteDocuments(
  args: {
    readonly in: string;
    readonly externalIds?: readonly string[] | null | undefined;
    readonly filter?: MetadataFilterInput | null | undefined;
  },
  { services, principal }: Context,
) {
  return { deletedCount: await deleteDocumentsInCore(services, principal.tenant, args) };
}

export async function documentsOf(
  { id }: CollectionRecord,
  args: PageArgs & { readonly filter?: MetadataFilterInput | null | undefined },
  { services, loaders }: Context,
): Promise<Connection<DocumentRecord> & { readonly totalCount: number }> {
  const filter = args.filter == null ? null : parseMetadataFilter(args.filter);
  const scope = `documents:${id}:${JSON.stringify(filter)}`;
  const page = pageOf(scope, args, services.limits.maxFirst);
  const slice = await loaders.documentsPage.load({ parentId: id, page, filter });
  return { ...connectionOf(scope, slice, args), totalCount: slice.totalCount };
}
