import type { Page, Slice } from '../core/contracts/page.ts';
import { checkFirst, decodeCursor, encodeCursor } from '../core/pagination.ts';

export interface Edge<T> {
  readonly cursor: string;
  readonly node: T;
}

export interface PageInfo {
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  readonly startCursor: string | null;
  readonly endCursor: string | null;
}

export interface Connection<T, E extends { readonly cursor: string } = Edge<T>> {
  readonly edges: readonly E[];
  readonly pageInfo: PageInfo;
}

export interface PageArgs {
  readonly first: number;
  readonly after?: string | null | undefined;
}

/** The page that was asked for. `scope` names the list, so that a cursor from elsewhere is refused. */
export function pageOf(scope: string, { first, after }: PageArgs, max: number): Page {
  checkFirst(first, { name: 'first', max });
  return { first, after: after == null ? null : decodeCursor(scope, after) };
}

export function connectionOf<T>(scope: string, slice: Slice<T>, { after }: PageArgs): Connection<T> {
  const edges = slice.items.map(({ item, key }) => ({ cursor: encodeCursor(scope, key), node: item }));
  return { edges, pageInfo: pageInfoOf(edges, { hasNext: slice.hasNext, hasPrevious: after != null }) };
}

export function pageInfoOf(
  edges: readonly { readonly cursor: string }[],
  { hasNext, hasPrevious }: { readonly hasNext: boolean; readonly hasPrevious: boolean },
): PageInfo {
  return {
    hasNextPage: hasNext,
    hasPreviousPage: hasPrevious,
    startCursor: edges[0]?.cursor ?? null,
    endCursor: edges.at(-1)?.cursor ?? null,
  };
}
