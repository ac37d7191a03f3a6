/** A keyset page: `first` items after the sort key `after`, in the list's own order. */
export interface Page {
  readonly first: number;
  /** The sort key of the item before the page, as `Sliced.key` gave it; null: from the start. */
  readonly after: readonly (string | number)[] | null;
}

/** One item with its position in the order of its list: JSON scalars that a cursor can carry. */
export interface Sliced<T> {
  readonly item: T;
  readonly key: readonly (string | number)[];
}

export interface Slice<T> {
  readonly items: readonly Sliced<T>[];
  readonly hasNext: boolean;
}
