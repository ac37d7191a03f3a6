/** A person that an app recommends to. */
export interface ProfileRecord {
  readonly id: string;
  /** The app's own name for the person, unique in the tenant. */
  readonly externalId: string;
  /** What the person says it likes, in words. */
  readonly interests: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
}

export const interactionKinds = ['VIEW', 'LIKE', 'DISLIKE', 'PURCHASE'] as const;
export type InteractionKind = (typeof interactionKinds)[number];

export interface NewInteraction {
  /** Unique in the tenant; one that is there already is not written again. */
  readonly id: string;
  /** Of the document. */
  readonly externalId: string;
  readonly kind: InteractionKind;
  /** Not in the future. */
  readonly at: Date;
  /** What it adds to the document's popularity, as a level (see core/recommend/popularity.ts); null: nothing. */
  readonly popularity: number | null;
}

/** Every method is bound to one tenant. */
export interface ProfileStore {
  /** Makes the profile of this external id, or changes it; what is null stays as it was (a new one: empty). */
  upsert(
    tenant: string,
    profile: {
      readonly externalId: string;
      readonly interests: readonly string[] | null;
      readonly metadata: Readonly<Record<string, unknown>> | null;
    },
  ): Promise<ProfileRecord>;
  byIds(tenant: string, ids: readonly string[], signal?: AbortSignal): Promise<readonly ProfileRecord[]>;
  byExternalIds(
    tenant: string,
    externalIds: readonly string[],
    signal?: AbortSignal,
  ): Promise<readonly ProfileRecord[]>;
  /** How many interactions are kept of each, over all collections; a profile without one is not in the map. */
  interactionCounts(tenant: string, ids: readonly string[], signal?: AbortSignal): Promise<ReadonlyMap<string, number>>;
  /**
   * All in one statement, committed when it resolves. `recorded` counts those that were not there before; `unknown` are the
   * external ids, each once, that the collection has no document for: theirs are not written, the others are. A popularity
   * counts once for each person, document and kind. Null when there is no such profile.
   */
  record(
    tenant: string,
    interactions: {
      readonly profileId: string;
      readonly collectionId: string;
      readonly interactions: readonly NewInteraction[];
    },
  ): Promise<{ readonly recorded: number; readonly unknown: readonly string[] } | null>;
  /** With all its interactions; false when there was none. What it added to popularities stays: that names nobody. */
  delete(tenant: string, id: string): Promise<boolean>;
}
