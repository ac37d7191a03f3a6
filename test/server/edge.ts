import { once } from 'node:events';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Services } from '../../core/services.ts';
import { createAgUi } from '../../server/ag-ui/ag-ui.ts';
import { createApp } from '../../server/app.ts';
import { createAccess } from '../../server/authenticate.ts';
import { createToClientError } from '../../server/client-errors.ts';
import { loadConfig } from '../../server/config/config.ts';
import { createHttpServer, type HttpParts } from '../../server/http/http-server.ts';
import { createMcp } from '../../server/mcp/mcp.ts';
import { mcpOptions } from '../../server/mcp/mcp-options.ts';
import { createLogger } from '../../server/telemetry/logger.ts';
import { createTelemetry } from '../../server/telemetry/telemetry.ts';

/** The HTTP edge alone, with nothing behind it but what a test puts there. */
export interface Edge extends AsyncDisposable {
  readonly url: string;
  /** Lines of the log, parsed, but for those of operations, which are apart. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  readonly operations: readonly Readonly<Record<string, unknown>>[];
  /** From now on it is not ready, for this reason; null: it is. */
  becomes(notReady: string | null): void;
}

export async function startEdge(
  services: Partial<Services> = {},
  environment: Readonly<Record<string, string>> = {},
): Promise<Edge> {
  const config = await loadConfig(environment);
  const log: Record<string, unknown>[] = [];
  const operations: Record<string, unknown>[] = [];
  const write = (text: string): void => {
    const line = JSON.parse(text);
    (line.msg === 'operation' ? operations : log).push(line);
  };
  const logger = createLogger({ level: 'debug', stream: { write } });
  // Only what the operations of the test ask for is there.
  const parts = { logger, admit: () => null, ...services } as Services;
  const isOpen = config.apiKey === undefined;
  const access = createAccess({
    apiKey: config.apiKey,
    keyRing: noKeys,
    openMode: { isOpen, hold: () => noKeys.hold() },
  });
  const toClientError = createToClientError(logger);
  const app = createApp(parts, config);
  const serving = {
    app,
    agUi: createAgUi(parts, toClientError),
    mcp: createMcp(parts, mcpOptions(config, app), toClientError),
  };
  let state: ReturnType<HttpParts['state']> = serving;
  const telemetry = createTelemetry(config, logger);
  const server = createHttpServer({
    config,
    logger,
    telemetry,
    access: () => access,
    state: () => state,
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A server that listens on a port has an AddressInfo.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/graphql`,
    log,
    operations,
    becomes: (notReady) => {
      state = notReady === null ? serving : { notReady };
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      telemetry[Symbol.dispose]();
    },
  };
}

const noKeys = { authenticate: async () => null, hold: () => ({ [Symbol.dispose]: () => {} }) };

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** One request with exactly these headers: fetch keeps some of them for itself. */
export async function ask(url: string, { method = 'GET', path, headers = {}, body }: Asked): Promise<Answer> {
  const target = new URL(url);
  const outgoing = httpRequest({
    host: target.hostname,
    port: target.port,
    path: path ?? target.pathname,
    method,
    headers,
    agent: false,
  });
  outgoing.end(body);
  const [response] = await once(outgoing, 'response');
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() };
}

/** The same for a GraphQL operation. */
export function askGraphql(
  url: string,
  query: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return ask(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query }),
  });
}
