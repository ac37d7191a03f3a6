import { randomUUID } from 'node:crypto';
import { GatewayError } from '../../core/contracts/gateway-error.ts';
import type { ProfileRecord, ProfileStore } from '../../core/contracts/profile-store.ts';
import type { Database } from './database.ts';
import { sql } from './drizzle.ts';
import { jsonText } from './insert-message.ts';
import { recordStatement } from './record-interactions.ts';
import { isUuid, uuidsIn } from './uuid.ts';

const columns = sql`profiles.id, profiles.external_id as "externalId", profiles.interests, profiles.metadata`;

export function postgresProfileStore(database: Database): ProfileStore {
  return {
    async upsert(tenant, { externalId, interests, metadata }) {
      const words = interests === null ? null : [...interests];
      const [profile] = await database.query<ProfileRecord>(
        'profile-upsert',
        sql`insert into profiles (tenant, id, external_id, interests, metadata)
          values (${tenant}, ${randomUUID()}, ${externalId}, coalesce(${sql.param(words)}::text[], '{}'),
            coalesce(${jsonText(metadata)}::jsonb, '{}'))
          on conflict (tenant, external_id) do update set
            interests = coalesce(${sql.param(words)}::text[], profiles.interests),
            metadata = coalesce(${jsonText(metadata)}::jsonb, profiles.metadata), updated_at = now()
          returning ${columns}`,
      );
      if (!profile) throw new GatewayError('INTERNAL', 'profile-upsert returned no row');
      return profile;
    },

    byIds: (tenant, ids, signal) =>
      database.query<ProfileRecord>(
        'profiles-by-ids',
        sql`select ${columns} from profiles where tenant = ${tenant} and id = any(${sql.param(uuidsIn(ids))}::uuid[])`,
        signal,
      ),

    byExternalIds: (tenant, externalIds, signal) =>
      database.query<ProfileRecord>(
        'profiles-by-external-ids',
        sql`select ${columns} from profiles
          where tenant = ${tenant} and external_id = any(${sql.param([...externalIds])}::text[])`,
        signal,
      ),

    async interactionCounts(tenant, ids, signal) {
      const rows = await database.query<{ id: string; count: number }>(
        'interactions-count',
        sql`select profile_id as id, count(*)::int as count from interactions
          where tenant = ${tenant} and profile_id = any(${sql.param(uuidsIn(ids))}::uuid[]) group by profile_id`,
        signal,
      );
      return new Map(rows.map(({ id, count }) => [id, count]));
    },

    async record(tenant, { profileId, collectionId, interactions }) {
      if (!isUuid(profileId) || !isUuid(collectionId)) return null;
      const [row] = await database.query<{ found: boolean; recorded: number; unknown: string[] }>(
        'interactions-record',
        recordStatement(tenant, profileId, collectionId, interactions),
      );
      return row?.found ? { recorded: row.recorded, unknown: row.unknown } : null;
    },

    async delete(tenant, id) {
      if (!isUuid(id)) return false;
      const rows = await database.query(
        'profile-delete',
        sql`delete from profiles where tenant = ${tenant} and id = ${id}::uuid returning id`,
      );
      return rows.length > 0;
    },
  };
}
