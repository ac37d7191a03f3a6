import type { ServerContext as SdkContext, Server as SdkServer } from '@modelcontextprotocol/server';
import { hasOneOf, missingScope } from '../../core/access/scopes.ts';
import { GatewayError } from '../../core/contracts/gateway-error.ts';
import type { ServerContext } from '../app.ts';
import type { ToClientError } from '../client-errors.ts';
import { version } from '../version.ts';
import type { McpTool, McpToolDescription, McpToolResult, Progress } from './mcp-tool.ts';
import { progressNotes } from './progress-notes.ts';

export interface ServerParts {
  readonly Server: typeof SdkServer;
  readonly tools: readonly McpTool[];
  readonly caller: ServerContext;
  readonly toClientError: ToClientError;
  readonly run: (tool: McpTool, args: unknown, io: CallIo) => Promise<McpToolResult>;
}

export interface CallIo {
  readonly id: string | number;
  /** The request was cancelled, or its stream closed. */
  readonly signal: AbortSignal;
  readonly progress: (progress: Progress) => void;
}

const instructions =
  'Search and question answering over documents that were ingested before. search finds passages, ask answers a question from them with citations, research works through one that has several parts.';

/** The protocol's side of one request: what the caller may use, and calls of it. */
export function serverFor({ Server, tools, caller, toClientError, run }: ServerParts): SdkServer {
  const server = new Server(
    { name: 'sluice', title: 'Sluice', version },
    { capabilities: { tools: {} }, instructions },
  );
  server.setRequestHandler('tools/list', () => ({
    tools: tools.filter((tool) => mayUse(caller, tool)).map(described),
  }));
  server.setRequestHandler('tools/call', async ({ params }, context) => {
    const tool = tools.find(({ name }) => name === params.name);
    try {
      if (tool === undefined) throw unknownTool(params.name, tools);
      if (tool.scopes !== null && !mayUse(caller, tool)) throw missingScope(tool.scopes);
      const { mcpReq } = context;
      const io = { id: mcpReq.id, signal: mcpReq.signal, progress: progressOf(mcpReq) };
      const { structured, text, isError = false } = await run(tool, params.arguments, io);
      return {
        content: [{ type: 'text', text }],
        structuredContent: { ...structured },
        ...(isError ? { isError } : {}),
      };
    } catch (error) {
      // To be read by a model, which may do better: so no fault of the protocol.
      const { message, extensions } = toClientError(error);
      return { content: [{ type: 'text', text: message }], isError: true, _meta: { 'sluice/error': extensions } };
    }
  });
  return server;
}

function mayUse({ principal }: ServerContext, { scopes }: McpTool): boolean {
  return scopes === null || hasOneOf(principal, scopes);
}

function described({ name, title, description, inputSchema, outputSchema, annotations }: McpToolDescription) {
  return {
    ...{ name, title, description, annotations },
    // Both are schemas of objects.
    inputSchema: inputSchema as { type: 'object' },
    outputSchema: outputSchema as { type: 'object' },
  };
}

function progressOf({ _meta, notify }: SdkContext['mcpReq']): (progress: Progress) => void {
  const progressToken = _meta?.progressToken;
  if (progressToken === undefined) return () => {};
  return progressNotes((params) => {
    // A client that has gone is told nothing; its call ends by the signal.
    notify({ method: 'notifications/progress', params: { progressToken, ...params } }).catch(() => {});
  });
}

function unknownTool(name: string, tools: readonly McpTool[]): GatewayError {
  const names = tools.map((tool) => tool.name).join(', ');
  return new GatewayError('NOT_FOUND', `There is no tool "${name.slice(0, 100)}"; there are ${names}.`);
}
