import {
  Client,
  type ClientOptions,
  type Tool as ListedTool,
  type PriorDiscovery,
  type Transport,
} from '@modelcontextprotocol/client';
import type { McpServerOptions } from './server-options.ts';

export type { ListedTool };

/** One connection to a server, from its start to its loss. */
export interface Session {
  readonly client: Client;
  /** To begin the next connection without asking which protocol the server speaks. */
  readonly prior: PriorDiscovery | undefined;
  /** Resolves with the reason when it can be used no more. */
  readonly ended: Promise<string>;
  /** Something went wrong: asks the server for its tools, and ends the session when it does not answer. */
  doubt(): void;
  close(): Promise<void>;
}

export interface SessionParts {
  readonly transport: Transport;
  readonly version: string;
  readonly prior: PriorDiscovery | undefined;
  readonly signal: AbortSignal;
  /** The list as it is now: at the start, and each time that the server changes it. */
  readonly onTools: (tools: readonly ListedTool[]) => void;
}

const probeMs = 5_000;
const doubtMs = 10_000;

/** Results are validated by whoever calls a tool, in one place for tools of every source; here a foreign schema is not even compiled. */
const unchecked: NonNullable<ClientOptions['jsonSchemaValidator']> = {
  getValidator: () => (input) => ({ valid: true, data: input as never, errorMessage: undefined }),
};

export async function openSession(
  { connectTimeoutMs }: McpServerOptions,
  { transport, version, prior, signal, onTools }: SessionParts,
): Promise<Session> {
  const { promise: ended, resolve: end } = Promise.withResolvers<string>();
  let isOver = false;
  let isDoubted = false;
  const client = new Client(
    { name: 'sluice', version },
    {
      // Nothing that a server could ask of us: no sampling, no elicitation, no roots.
      capabilities: {},
      versionNegotiation: { mode: 'auto', probe: { timeoutMs: Math.min(probeMs, connectTimeoutMs) } },
      jsonSchemaValidator: unchecked,
      listChanged: {
        tools: {
          onChanged(error, tools) {
            if (error !== null || tools === null) doubt();
            else onTools(tools);
          },
        },
      },
    },
  );
  void ended.then(() => {
    isOver = true;
  });
  client.onclose = () => end('it has closed the connection');
  // A broken stream of notifications shows in nothing else: the server may have gone, or have started anew.
  client.onerror = () => doubt();

  function doubt(): void {
    if (isOver || isDoubted) return;
    isDoubted = true;
    client
      .listTools(undefined, { cacheMode: 'refresh', timeout: doubtMs, maxTotalTimeout: doubtMs })
      .then(({ tools }) => onTools(tools))
      .catch((error: unknown) => end(error instanceof Error ? error.message : String(error)))
      .finally(() => {
        isDoubted = false;
      });
  }

  const late = AbortSignal.any([signal, AbortSignal.timeout(connectTimeoutMs)]);
  const bounds = { signal: late, timeout: connectTimeoutMs, maxTotalTimeout: connectTimeoutMs };
  // Its own errors reach us as rejections.
  isDoubted = true;
  try {
    await client.connect(transport, { ...bounds, ...(prior === undefined ? {} : { prior }) });
    const { tools } = await client.listTools(undefined, { ...bounds, cacheMode: 'refresh' });
    onTools(tools);
  } catch (error) {
    end('it was not opened');
    await client.close().catch(() => {});
    throw error;
  }
  isDoubted = false;
  void client.autoOpenedSubscription?.closed.then((how) => {
    if (how !== 'local') end('its stream of notifications has ended');
  });
  return {
    client,
    // Only what is true of the server for good: a newer one tells its name and abilities anew.
    prior: client.getProtocolEra() === 'legacy' ? { kind: 'legacy' } : undefined,
    ended,
    doubt,
    async close() {
      end('it was closed');
      await client.close().catch(() => {});
    },
  };
}
