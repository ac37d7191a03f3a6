import type { TasteQuery } from '../../core/contracts/recommendation-index.ts';
import { documentVectorColumn, firstOfDocument } from './document-vectors.ts';
import { type SQL, sql } from './drizzle.ts';
import { isUuid } from './uuid.ts';

/** Of each kind, so that a hundred views of today do not hide what was bought last month. */
export const deedsPerKind = 48;

export interface TasteRow {
  readonly ordinal: number;
  /** Null when there is no such profile. */
  readonly interests: readonly string[] | null;
  /** Null in the single row of a profile that has done nothing. */
  readonly document_id: string | null;
  readonly viewed: Date | null;
  readonly liked: Date | null;
  readonly disliked: Date | null;
  readonly purchased: Date | null;
  readonly vector: string | null;
}

/** The profiles that are asked for, `asked (ordinal, profile_id, collection_id, …)`: arrays of one length. */
export function askedProfiles(queries: readonly TasteQuery[]): SQL {
  return sql`
    ${sql.param(queries.map((_, index) => index))}::int[],
    ${sql.param(queries.map(({ profileId }) => (isUuid(profileId) ? profileId : null)))}::uuid[],
    ${sql.param(queries.map(({ collectionId }) => (isUuid(collectionId) ? collectionId : null)))}::uuid[]`;
}

/** Interactions of the profile of `asked`, in its collection. */
export function ownInteractions(tenant: string): SQL {
  return sql`i.tenant = ${tenant} and i.profile_id = asked.profile_id and i.collection_id = asked.collection_id`;
}

export function tasteStatement(tenant: string, queries: readonly TasteQuery[]): SQL {
  const last = (kind: string) => sql`max(at) filter (where kind = ${kind})`;
  return sql`with asked as materialized (
      select asked.*, profiles.interests
      from unnest(${askedProfiles(queries)}) as asked(ordinal, profile_id, collection_id)
      left join profiles on profiles.tenant = ${tenant} and profiles.id = asked.profile_id),
    deed as materialized (
      select asked.ordinal, asked.collection_id, latest.document_id,
        ${last('VIEW')} as viewed, ${last('LIKE')} as liked, ${last('DISLIKE')} as disliked, ${last('PURCHASE')} as purchased
      from asked cross join (values ('VIEW'), ('LIKE'), ('DISLIKE'), ('PURCHASE')) kinds(name)
      cross join lateral (
        select i.document_id, i.kind, i.at from interactions i
        where ${ownInteractions(tenant)} and i.kind = kinds.name
        order by i.at desc limit ${deedsPerKind}) latest
      group by asked.ordinal, asked.collection_id, latest.document_id)
    select asked.ordinal, asked.interests, deed.document_id, deed.viewed, deed.liked, deed.disliked, deed.purchased,
      ${documentVectorColumn(
        tenant,
        sql`deed.document_id`,
        sql`deed.collection_id`,
        firstOfDocument(sql`deed.document_id`, sql`asked.ordinal`),
      )} as vector
    from asked left join deed using (ordinal) order by asked.ordinal, deed.document_id`;
}
