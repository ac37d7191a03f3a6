import type { ApiKeyRecord, ApiKeyStore, StoredApiKey } from '../../core/contracts/api-key-store.ts';
import { GatewayError } from '../../core/contracts/gateway-error.ts';
import type { Database } from './database.ts';
import { type SQL, sql } from './drizzle.ts';
import { jsonText } from './insert-message.ts';
import { afterKey, microseconds, sliceOf } from './newest-first.ts';
import { isUniqueViolation } from './sql-error.ts';
import { uuidsIn } from './uuid.ts';

const columns = sql`api_keys.id, api_keys.tenant, api_keys.name, api_keys.prefix, api_keys.scopes, api_keys.limits,
  api_keys.allow_unknown_price as "allowUnknownPrice", api_keys.created_at as "createdAt",
  api_keys.expires_at as "expiresAt", api_keys.last_used_at as "lastUsedAt", api_keys.revoked_at as "revokedAt"`;

export function postgresApiKeyStore(database: Database): ApiKeyStore {
  return {
    async create({ id, tenant, name, prefix, hash, scopes, limits, allowUnknownPrice, expiresAt }) {
      try {
        const [created] = await database.query<ApiKeyRecord>(
          'api-key-insert',
          sql`insert into api_keys (id, tenant, name, prefix, hash, scopes, limits, allow_unknown_price, expires_at)
            values (${id}, ${tenant}, ${name}, ${prefix}, ${hash}, ${sql.param([...scopes])}::text[],
              ${jsonText(limits)}::jsonb, ${allowUnknownPrice}, ${expiresAt?.toISOString() ?? null}::timestamptz)
            returning ${columns}`,
        );
        if (created === undefined) throw new GatewayError('INTERNAL', 'api-key-insert returned no row');
        return created;
      } catch (error) {
        if (!isUniqueViolation(error)) throw error;
        throw new GatewayError('CONFLICT', `There is an API key "${name}" already that is not revoked.`, {
          cause: error,
        });
      }
    },

    // The only statements without a tenant: it is what they are to find out, or the whole database is meant.
    async byPrefixes(prefixes) {
      if (prefixes.length === 0) return [];
      return database.query<StoredApiKey>(
        'api-keys-by-prefixes',
        sql`select ${columns}, api_keys.hash from api_keys where prefix = any(${sql.param([...prefixes])}::text[])`,
      );
    },

    async any() {
      const [row] = await database.query<{ any: boolean }>(
        'api-keys-any',
        sql`select exists(select from api_keys) as "any"`,
      );
      return row?.any ?? false;
    },

    byIds: (tenant, ids, signal) =>
      database.query<ApiKeyRecord>(
        'api-keys-by-ids',
        sql`select ${columns} from api_keys where tenant = ${tenant} and id = any(${sql.param(uuidsIn(ids))}::text[])`,
        signal,
      ),

    async list(tenant, page, signal) {
      const rows = await database.query<ApiKeyRecord & { readonly created_at: string }>(
        'api-keys-list',
        sql`select ${columns}, ${microseconds(sql`api_keys.created_at`)} as created_at from api_keys
          where tenant = ${tenant} ${afterKey(sql`api_keys.created_at`, sql`api_keys.id`, page)}
          order by api_keys.created_at desc, api_keys.id desc limit ${page.first + 1}`,
        signal,
      );
      return sliceOf(
        rows,
        page,
        ({ created_at: _position, ...key }): ApiKeyRecord => key,
        (row) => row.id,
      );
    },

    async revoke(tenant, id) {
      const which = sql`id = ${id} ${tenant === null ? sql`` : sql`and tenant = ${tenant}`}`;
      // Locked by the first of two that revoke together, so that only one of them does.
      const [row] = await database.query<ApiKeyRecord & { readonly revokedNow: boolean }>(
        'api-key-revoke',
        sql`with known as (select id, revoked_at is null as now from api_keys where ${which} for update)
          update api_keys set revoked_at = coalesce(api_keys.revoked_at, clock_timestamp()) from known
          where api_keys.id = known.id returning ${columns}, known.now as "revokedNow"`,
      );
      if (row === undefined) return null;
      const { revokedNow, ...key } = row;
      return { key, revokedNow };
    },

    async used(uses) {
      if (uses.length === 0) return;
      await database.query('api-keys-used', updateUses(uses));
    },
  };
}

/** Ordered by key, so that two instances that write the same rows never wait for each other in a circle. */
function updateUses(uses: Parameters<ApiKeyStore['used']>[0]): SQL {
  return sql`with uses as (
      select tenant, id, at from jsonb_to_recordset(${JSON.stringify(uses)}::jsonb) as u(tenant text, id text, at timestamptz)
    ), locked as (
      select api_keys.tenant, api_keys.id, uses.at from api_keys join uses on api_keys.tenant = uses.tenant and api_keys.id = uses.id
      where api_keys.last_used_at is null or api_keys.last_used_at < uses.at
      order by api_keys.id for update of api_keys
    )
    update api_keys set last_used_at = locked.at from locked
    where api_keys.tenant = locked.tenant and api_keys.id = locked.id`;
}
