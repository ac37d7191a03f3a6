import type { Context } from '../context.ts';
import type { DocumentRecord, PassageRecord } from '../core/contracts/document-store.ts';
import type { IndexHit } from '../core/contracts/search-index.ts';
import { checkFirst, encodeCursor } from '../core/pagination.ts';
import { type CitedTextRecord, summarise } from '../core/search/summarise.ts';
import { numberSources } from '../core/text/source-prompt.ts';
import { type Connection, connectionOf, type PageArgs, pageOf } from './connection.ts';
import type { SummaryArgs } from './search.ts';

export async function passagesOf(
  { id }: DocumentRecord,
  args: PageArgs,
  { services, loaders }: Context,
): Promise<Connection<PassageRecord> & { readonly totalCount: number }> {
  const scope = `passages:${id}`;
  const page = pageOf(scope, args, services.limits.maxFirst);
  const slice = await loaders.passagesPage.load({ parentId: id, page });
  return { ...connectionOf(scope, slice, args), totalCount: slice.totalCount };
}

export async function similarTo(
  { id }: DocumentRecord,
  { first }: { readonly first: number },
  { services, loaders }: Context,
): Promise<readonly (IndexHit & { readonly cursor: string })[]> {
  checkFirst(first, { name: 'first', max: services.limits.maxFirst });
  const hits = await loaders.similar.load({ parentId: id, first });
  // As with a search's hits: what is selected below them needs no statement of its own.
  for (const { passage, document } of hits) {
    loaders.passage.prime(passage.id, passage);
    loaders.document.prime(document.id, document);
  }
  return hits.map((hit, index) => ({ ...hit, cursor: encodeCursor(`similar:${id}`, [index + 1]) }));
}

/** Over the document's beginning: as many passages as a prompt takes comfortably. */
const summarisedPassages = 12;

export async function summariseDocument(
  document: DocumentRecord,
  { maxWords, model }: SummaryArgs,
  { services, loaders, call }: Context,
): Promise<CitedTextRecord | null> {
  const page = { first: summarisedPassages, after: null };
  const { items } = await loaders.passagesPage.load({ parentId: document.id, page });
  const sources = numberSources(items.map(({ item }) => ({ passage: item, document })));
  const about = document.title ?? sources[0]?.text.slice(0, 200) ?? document.externalId;
  return summarise(services.models, { sources, about, maxWords, model: model ?? null }, call);
}
