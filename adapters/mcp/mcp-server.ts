import type { PriorDiscovery } from '@modelcontextprotocol/client';
import { ExponentialBackoff, fullJitterGenerator } from 'cockatiel';
import type { Clock } from '../../core/contracts/clock.ts';
import type { Json } from '../../core/contracts/filter.ts';
import { GatewayError } from '../../core/contracts/gateway-error.ts';
import type { Logger } from '../../core/contracts/logger.ts';
import type { Tool, ToolIo, ToolProvider, ToolResult } from '../../core/contracts/tool.ts';
import { callError } from './call-error.ts';
import type { McpServerOptions } from './server-options.ts';
import { type ListedTool, openSession, type Session } from './session.ts';
import { toolOf } from './tool-of.ts';
import { assertFits, failureOf, resultValue } from './tool-result.ts';
import { createTransport } from './transport.ts';

export interface McpParts {
  readonly logger: Logger;
  readonly clock: Clock;
  /** What the gateway calls its own version. */
  readonly version: string;
}

const backoff = { generator: fullJitterGenerator, initialDelay: 250, maxDelay: 30_000 };
/** A session that lived so long was no failed start: the pauses begin anew. */
const livedMs = 10_000;
/** How long a call waits for a server that is being started again. */
const patienceMs = 10_000;

/**
 * The tools of one MCP server, which is connected for as long as the gateway lives: it is started, or reached, beside everything
 * else, and again with a growing pause each time that it is lost. Its tools stay listed meanwhile; a call waits for it, and one that it
 * was lost in fails as retryable.
 */
export class McpServer implements ToolProvider, AsyncDisposable {
  readonly #options: McpServerOptions;
  readonly #parts: McpParts;
  readonly #logger: Logger;
  readonly #stopped = new AbortController();
  readonly #kept: Promise<void>;
  #tools: readonly Tool[] = [];
  #session: Session | null = null;
  #next = Promise.withResolvers<Session>();
  #fault: string | null = 'it is being started';

  constructor(options: McpServerOptions, parts: McpParts) {
    this.#options = options;
    this.#parts = parts;
    this.#logger = parts.logger.child({ mcpServer: options.name });
    this.#kept = this.#keep(this.#stopped.signal);
  }

  tools(): readonly Tool[] {
    return this.#tools;
  }

  health(): { readonly name: string; readonly ok: boolean; readonly detail: string | null } {
    return { name: `mcp ${this.#options.name}`, ok: this.#fault === null, detail: this.#fault };
  }

  /** Ends the connection, and the process where it is one of ours. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    await this.#session?.close();
    await this.#kept;
  }

  async #keep(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    let pause = new ExponentialBackoff(backoff).next();
    let prior: PriorDiscovery | undefined;
    while (!signal.aborted) {
      const session = await this.#open(prior, signal);
      prior = session?.prior;
      if (session !== null) {
        const begunAt = clock.now();
        await this.#live(session, signal);
        if (clock.now() - begunAt >= livedMs) pause = new ExponentialBackoff(backoff).next();
      }
      await clock.sleep(pause.duration, signal).catch(() => {});
      pause = pause.next(undefined);
    }
  }

  /** Null: it could not be opened. */
  async #open(prior: PriorDiscovery | undefined, signal: AbortSignal): Promise<Session | null> {
    const onTools = (listed: readonly ListedTool[]): void => this.#list(listed);
    try {
      const transport = createTransport(this.#options, this.#logger);
      return await openSession(this.#options, { transport, version: this.#parts.version, prior, signal, onTools });
    } catch (error) {
      if (signal.aborted) return null;
      this.#fault = reasonOf(error);
      this.#logger.warn({ error }, 'an MCP server cannot be reached');
      return null;
    }
  }

  /** From its begin to its end. */
  async #live(session: Session, signal: AbortSignal): Promise<void> {
    if (!signal.aborted) {
      this.#session = session;
      this.#fault = null;
      this.#next.resolve(session);
      this.#logger.info({ tools: this.#tools.length }, 'an MCP server is connected');
      this.#fault = await session.ended;
      this.#session = null;
      this.#next = Promise.withResolvers();
      if (!signal.aborted) this.#logger.warn({ reason: this.#fault }, 'an MCP server was lost');
    }
    await session.close();
  }

  #list(listed: readonly ListedTool[]): void {
    const { allowedTools } = this.#options;
    const allowed = listed.filter(({ name }) => allowedTools === null || allowedTools.includes(name));
    const absent = (allowedTools ?? []).filter((name) => !listed.some((tool) => tool.name === name));
    if (absent.length > 0) this.#logger.warn({ tools: absent }, 'an MCP server has no tools of these names');
    this.#tools = allowed.flatMap((tool) => {
      const made = toolOf(tool, this.#options, (args, io) => this.#call(tool.name, args, io));
      if (typeof made !== 'string') return [made];
      this.#logger.warn({ tool: tool.name, reason: made }, 'a tool of an MCP server was left out');
      return [];
    });
  }

  async #call(tool: string, args: Readonly<Record<string, Json>>, io: ToolIo): Promise<ToolResult> {
    const { name, timeoutMs, maxResultBytes } = this.#options;
    const label = `${name}__${tool}`;
    const session = this.#session ?? (await this.#nextSession(io.signal));
    try {
      const result = await session.client.callTool(
        {
          name: tool,
          arguments: { ...args },
          _meta: { 'sluice/runId': io.runId, 'sluice/idempotencyKey': io.idempotencyKey },
        },
        // Aborted, the server is told that the call is cancelled.
        { signal: io.signal, timeout: timeoutMs, maxTotalTimeout: timeoutMs },
      );
      if (result.isError === true) throw failureOf(result, label);
      const value = resultValue(result);
      assertFits(value, maxResultBytes, label);
      return { value };
    } catch (error) {
      io.signal.throwIfAborted();
      const failure = callError(error, label, timeoutMs);
      if (failure.code === 'UPSTREAM_UNAVAILABLE') session.doubt();
      throw failure;
    }
  }

  async #nextSession(signal: AbortSignal): Promise<Session> {
    const waited = new AbortController();
    const late = this.#parts.clock.sleep(patienceMs, AbortSignal.any([signal, waited.signal])).then(() => {
      throw new GatewayError('UPSTREAM_UNAVAILABLE', `The MCP server ${this.#options.name} is not there now.`, {
        retryable: true,
      });
    });
    late.catch(() => {});
    try {
      return await Promise.race([this.#next.promise, late]);
    } finally {
      waited.abort();
    }
  }
}

/** Of a start that failed: the system's code of it (ENOENT, ECONNREFUSED), and no address, which may hold a secret. */
function reasonOf(error: unknown): string {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && /^E[A-Z]+$/.test(String(cause.code))) return `it cannot be reached (${cause.code})`;
  }
  return 'it cannot be reached';
}
