import type { CollectionRecord } from '../contracts/collection-store.ts';
import type { Filter } from '../contracts/filter.ts';
import { GatewayError } from '../contracts/gateway-error.ts';
import { checkFirst } from '../pagination.ts';
import { inputHash } from '../runs/input-hash.ts';
import { type MetadataFilterInput, parseMetadataFilter } from '../search/metadata-filter.ts';
import { collectionNotFound } from '../search/search.ts';
import { assertStorable } from '../text/normalise.ts';
import { nothingShown, type ShownItems, shownBefore } from './shown-items.ts';

export interface RecommendationRequest {
  readonly profileId: string;
  readonly in: string;
  readonly first: number;
  readonly after: string | null;
  readonly filter: MetadataFilterInput | null;
}

/** A list ends after so many: further down, what suits and what does not look the same. */
export const listLength = 120;

export interface CheckedList {
  readonly request: RecommendationRequest;
  readonly profileId: string;
  readonly collection: CollectionRecord;
  readonly collectionId: string;
  readonly filter: Filter | null;
  /** Names the list in its cursors. */
  readonly scope: string;
  /** What the pages before this one have shown. */
  readonly shown: ShownItems;
}

/** The error is returned, not thrown: the other lists of the operation are whole. */
export function checkList(
  request: RecommendationRequest,
  collection: CollectionRecord | undefined,
  { maxFirst }: { readonly maxFirst: number },
): CheckedList | GatewayError {
  try {
    assertStorable(request.in, 'in');
    checkFirst(request.first, { name: 'first', max: maxFirst });
    const filter = request.filter === null ? null : parseMetadataFilter(request.filter);
    if (collection === undefined) throw collectionNotFound(request.in);
    const { id: collectionId, tenant } = collection;
    const { profileId } = request;
    const scope = `recommendations:${inputHash({ tenant, profileId, collectionId, filter })}`;
    const shown = request.after === null ? nothingShown : shownBefore(scope, request.after);
    return { request, profileId, collection, collectionId, filter, scope, shown };
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
}
