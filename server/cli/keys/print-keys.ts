import type { Writable } from 'node:stream';
import { printableLine } from '../printable.ts';
import type { ShownKey } from './key-manager.ts';

/** A table with a heading, each column as wide as its widest value. */
export function printKeys(keys: readonly ShownKey[], stream: Writable): void {
  const rows = [['PREFIX', 'NAME', 'TENANT', 'STATE', 'LAST USED', 'SCOPES'], ...keys.map(cells)];
  const widths = rows[0]?.map((_cell, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  for (const row of rows) {
    const line = row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
    stream.write(`${line.trimEnd()}\n`);
  }
}

function cells(key: ShownKey): string[] {
  const { prefix, name, tenant, lastUsedAt, scopes } = key;
  return [prefix, name, tenant, stateOf(key), lastUsedAt ?? 'never', scopes.join(' ')].map(printableLine);
}

function stateOf({ revokedAt, expiresAt }: ShownKey): string {
  if (revokedAt !== null) return 'revoked';
  if (expiresAt === null) return 'good';
  return `${Date.parse(expiresAt) <= Date.now() ? 'expired' : 'until'} ${expiresAt}`;
}
