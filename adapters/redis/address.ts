import type { ClusterNode, RedisOptions } from 'ioredis';

export type RedisAddress = {
  readonly cluster: boolean;
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly options: Pick<RedisOptions, 'username' | 'password' | 'db' | 'tls'>;
  /** For people: no password in it. */
  readonly label: string;
};

const defaultPort = 6379;
const form = /^(rediss?)(\+cluster)?:\/\/(?:([^/]*)@)?([^/@?#]+)(?:\/(\d*))?$/;

/**
 * `redis://user:password@host:port/database`, or `redis+cluster://user:password@host:port,host:port` with some nodes of a
 * cluster; `rediss` for TLS. By hand: no URL has several hosts.
 */
export function parseAddress(url: string): RedisAddress {
  const [, scheme, cluster, login, hosts = '', database] = form.exec(url) ?? [];
  if (scheme === undefined) throw unreadable();
  const nodes = hosts.split(',').map(parseNode);
  if (cluster ? database : nodes.length > 1) throw unreadable();
  const [username, password] = login === undefined ? [] : parseLogin(login);
  return {
    cluster: cluster !== undefined,
    nodes,
    options: {
      ...(username ? { username } : {}),
      ...(password ? { password } : {}),
      ...(database ? { db: Number(database) } : {}),
      ...(scheme === 'rediss' ? { tls: {} } : {}),
    },
    label: nodes.map(({ host, port }) => `${host}:${port}`).join(','),
  };
}

function parseNode(text: string): ClusterNode & { host: string; port: number } {
  const [, ipv6, name, port] = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::(\d+))?$/i.exec(text) ?? [];
  const host = ipv6 ?? name;
  if (host === undefined) throw unreadable();
  return { host, port: port === undefined ? defaultPort : Number(port) };
}

function parseLogin(login: string): readonly [username: string, password: string] {
  const colon = login.indexOf(':');
  // `redis://:password@host` and `redis://user:password@host`; a password may hold colons.
  const parts = colon === -1 ? [login, ''] : [login.slice(0, colon), login.slice(colon + 1)];
  const [username = '', password = ''] = parts.map(decodeURIComponent);
  return [username, password];
}

/** Without what came: it may hold a password. */
function unreadable(): Error {
  return new Error(
    'expected redis://user:password@host:port/database, rediss://…, or redis+cluster://user:password@host:port,host:port',
  );
}
