import { usageError } from '../command-error.ts';

/** How to reach one gateway. */
export interface Connection {
  readonly url: string;
  readonly webSocketUrl: string;
  /** Null: the gateway is asked without a key. */
  readonly authorization: string | null;
}

export interface ConnectionOptions {
  readonly url?: string;
  readonly apiKey?: string;
}

/** Options win over SLUICE_URL and SLUICE_API_KEY; an empty value is none. A URL without a path means its /graphql. */
export function connectionFrom(options: ConnectionOptions, environment: NodeJS.ProcessEnv): Connection {
  const given = options.url || environment['SLUICE_URL'] || 'http://127.0.0.1:4000/graphql';
  const url = URL.parse(given);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw usageError(
      `--url (SLUICE_URL) must be an http or https address such as http://127.0.0.1:4000/graphql, got ${given}`,
    );
  }
  if (url.pathname === '/') url.pathname = '/graphql';
  const webSocketUrl = new URL(url);
  webSocketUrl.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';

  const apiKey = options.apiKey || environment['SLUICE_API_KEY'] || null;
  // What a header cannot carry would fail later, without saying which value it was.
  if (apiKey !== null && !/^[!-~]+$/u.test(apiKey)) {
    throw usageError('--api-key (SLUICE_API_KEY) must be printable ASCII without spaces');
  }
  return {
    url: url.href,
    webSocketUrl: webSocketUrl.href,
    authorization: apiKey === null ? null : `Bearer ${apiKey}`,
  };
}
