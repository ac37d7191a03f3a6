import type { Pool } from 'pg';
import { GatewayError } from '../../core/contracts/gateway-error.ts';

/** The first that reads an HNSW index on until enough of its rows pass a filter. */
const oldest = [0, 8] as const;

/** Says what is missing before the first migration fails on it with less to say. */
export async function requirePgvector(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ version: string; installed: boolean }>(
    `select coalesce(installed_version, default_version) as version, installed_version is not null as installed
      from pg_available_extensions where name = 'vector'`,
  );
  const [found] = rows;
  const expected = `expected pgvector ${oldest.join('.')} or later on the PostgreSQL server`;
  if (!found) throw new GatewayError('INTERNAL', `${expected}, got none: install it there`);
  const [major = 0, minor = 0] = found.version.split('.').map(Number);
  if (major > oldest[0] || minor >= oldest[1]) return;
  const remedy = found.installed ? 'install it there, then `alter extension vector update`' : 'install it there';
  throw new GatewayError('INTERNAL', `${expected}, got ${found.version}: ${remedy}`);
}
