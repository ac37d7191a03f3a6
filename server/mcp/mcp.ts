import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { RunKey } from '../../core/contracts/event-log.ts';
import type { UnwatchedPolicy } from '../../core/contracts/run-store.ts';
import type { Services } from '../../core/services.ts';
import { createContext, type ServerContext } from '../app.ts';
import type { ToClientError } from '../client-errors.ts';
import { currentOperation } from '../request-scope.ts';
import { runIdOf } from './call-ids.ts';
import { CancellableCalls } from './cancellable-calls.ts';
import { type McpRequest, refuseMessage, sendWebResponse, webRequest } from './exchange.ts';
import type { McpTool } from './mcp-tool.ts';
import { type Message, messageOf } from './message.ts';
import { serverFor } from './server-for.ts';

export const mcpPath = '/mcp';

const sessionHeader = 'mcp-session-id';
const stopWithinMs = 10_000;

export type Mcp = (request: McpRequest, response: ServerResponse, caller: ServerContext) => Promise<void>;

export interface McpOptions {
  readonly tools: readonly McpTool[];
  /** What becomes of a run whose client has gone. */
  readonly whenUnwatched: UnwatchedPolicy;
  readonly maxBodyBytes: number;
}

/**
 * The gateway as an MCP server, by streamable HTTP, for clients of every revision of it. Each request stands for itself, so that any
 * instance can answer it. Sessions, which the older revisions have, are a name that the client is given and nothing else: with a request's
 * own id it names the run behind that request.
 */
export function createMcp(
  services: Services,
  { tools, whenUnwatched, maxBodyBytes }: McpOptions,
  toClientError: ToClientError,
): Mcp {
  const calls = new CancellableCalls();
  /** Not loaded before somebody speaks the protocol: a gateway whose apps do not need not wait for it when it starts. */
  const sdk = lazily(() => import('@modelcontextprotocol/server'));

  return async (request, response, caller) => {
    const message = messageOf(request.body);
    if (typeof message === 'string') return refuseMessage(response, message);
    const { tenant } = caller.principal;
    const session = sessionOf(request);
    currentOperation()?.is('mcp', nameOf(message));
    if (message.method === 'notifications/cancelled') await cancel(tenant, session, message);
    const left = new AbortController();
    response.once('close', () => left.abort(new DOMException('The client closed the connection.', 'AbortError')));
    const { Server, createMcpHandler } = await sdk();
    const { fetch } = createMcpHandler(
      ({ era }) =>
        serverFor({
          ...{ Server, tools, caller, toClientError },
          run: async (tool, args, { id, signal, progress }) => {
            const runId = runIdOf(tenant, session, id);
            const call = calls.begin(mapKey({ tenant, runId }));
            const until = AbortSignal.any([signal, call.signal, left.signal]);
            const context = createContext(services, caller.principal, endOf(until, caller), caller.requestId, null);
            try {
              return await tool.call(args, { server: caller, context, runId, progress });
            } catch (error) {
              // Closing the stream of a call is how clients of the newest revision cancel it.
              const isCancelled = call.signal.aborted || (era === 'modern' && left.signal.aborted);
              if (isCancelled && whenUnwatched === 'CANCEL') await stop({ tenant, runId });
              throw error;
            } finally {
              call.end();
            }
          },
        }),
      { maxRequestBodySize: maxBodyBytes },
    );
    const answer = await fetch(webRequest(request, left.signal), { parsedBody: message.whole });
    if (message.method === 'initialize' && answer.ok) response.setHeader('Mcp-Session-Id', randomUUID());
    await sendWebResponse(answer, response, left.signal).catch((error: unknown) => {
      if (!left.signal.aborted) throw error;
    });
  };

  /** From any instance: the run is found by its id, wherever it executes. */
  async function cancel(tenant: string, session: string | null, { params }: Message): Promise<void> {
    const { requestId } = params;
    if (session === null || (typeof requestId !== 'string' && typeof requestId !== 'number')) return;
    const key = { tenant, runId: runIdOf(tenant, session, requestId) };
    calls.cancel(mapKey(key));
    await stop(key);
  }

  /** A call that began no run, or whose run has ended, has nothing to stop. */
  async function stop(key: RunKey): Promise<void> {
    await services.runs.cancel(key, AbortSignal.timeout(stopWithinMs)).catch((error: unknown) => {
      services.logger.debug({ runId: key.runId, error }, 'a cancelled call had no run');
    });
  }
}

const longestName = 100;

/** As it is logged: the tool that is called, or the method, whatever the client wrote there. */
function nameOf({ method, params: { name } }: Message): string | null {
  const called = method === 'tools/call' && typeof name === 'string' ? name : method;
  return called?.slice(0, longestName) ?? null;
}

function sessionOf({ headers }: McpRequest): string | null {
  const session = headers[sessionHeader];
  return typeof session === 'string' && session.length <= 200 ? session : null;
}

/** The signal of the request, and the end of the caller's key. */
function endOf(signal: AbortSignal, { ended }: ServerContext): AbortSignal {
  return ended === null ? signal : AbortSignal.any([signal, ended]);
}

function mapKey({ tenant, runId }: RunKey): string {
  return JSON.stringify([tenant, runId]);
}

function lazily<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () => {
    loaded ??= load();
    return loaded;
  };
}
