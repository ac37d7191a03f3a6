import type { NewInteraction } from '../../core/contracts/profile-store.ts';
import { type SQL, sql } from './drizzle.ts';

/** Smaller powers of two than this one would be an underflow, which PostgreSQL makes an error of. They add nothing. */
const leastPower = -100;

/**
 * Documents are locked against their deletion, in the order of their ids as every writer does. A popularity counts a person once:
 * of what the statement itself inserts nothing is seen yet where it looks for interactions of before.
 */
export function recordStatement(
  tenant: string,
  profileId: string,
  collectionId: string,
  interactions: readonly NewInteraction[],
): SQL {
  const column = (value: (interaction: NewInteraction) => unknown) => sql.param(interactions.map(value));
  return sql`with asked as materialized (
      select * from unnest(
        ${column(({ id }) => id)}::uuid[],
        ${column(({ externalId }) => externalId)}::text[],
        ${column(({ kind }) => kind)}::text[],
        ${column(({ at }) => at.toISOString())}::timestamptz[],
        ${column(({ popularity }) => popularity)}::float8[]
      ) as interaction(id, external_id, kind, at, popularity)),
    person as materialized (
      select id from profiles where tenant = ${tenant} and id = ${profileId}::uuid for key share),
    known as materialized (
      select documents.id, documents.external_id from documents
      where tenant = ${tenant} and collection_id = ${collectionId}::uuid
        and external_id = any(array(select external_id from asked))
      order by documents.id for key share),
    inserted as (
      insert into interactions (tenant, id, profile_id, collection_id, document_id, kind, at)
      select ${tenant}, asked.id, person.id, ${collectionId}::uuid, known.id, asked.kind, asked.at
      from asked join known using (external_id) cross join person
      order by asked.id
      on conflict (tenant, id) do nothing
      returning id, document_id, kind),
    counted as (
      select distinct on (inserted.document_id, inserted.kind) inserted.document_id, asked.popularity as level
      from inserted join asked using (id)
      where asked.popularity is not null and not exists (
        select from interactions earlier
        where earlier.tenant = ${tenant} and earlier.document_id = inserted.document_id
          and earlier.profile_id = ${profileId}::uuid and earlier.kind = inserted.kind)
      order by inserted.document_id, inserted.kind, asked.popularity desc),
    added as (
      select document_id, max(level) + ln(sum(${powerOfTwo(sql`level - highest`)})) / ln(2::float8) as level
      from (select counted.*, max(level) over (partition by document_id) as highest from counted) counted
      group by document_id),
    popular as (
      insert into document_popularity as present (tenant, collection_id, document_id, level)
      select ${tenant}, ${collectionId}::uuid, document_id, level from added order by document_id
      on conflict (tenant, document_id) do update set level = greatest(present.level, excluded.level)
        + ln(1 + ${powerOfTwo(sql`-abs(present.level - excluded.level)`)}) / ln(2::float8)
        where present.tenant = ${tenant})
    select exists (select from person) as found, (select count(*)::int from inserted) as recorded,
      array(select distinct external_id from asked where external_id not in (select external_id from known)
        order by external_id) as unknown`;
}

function powerOfTwo(exponent: SQL): SQL {
  return sql`power(2::float8, greatest(${exponent}, ${leastPower}::float8))`;
}
