import { z } from 'zod';
import type { McpServerOptions } from '../../adapters/mcp/server-options.ts';
import { count, text } from './fields.ts';

const name = z
  .string()
  .regex(/^[A-Za-z0-9-]{1,24}$/, 'expected a name of 1–24 letters, digits or dashes: its tools are called name__tool');

const server = z
  .strictObject({
    /** A program of this machine, spoken to over its standard input and output … */
    command: text.optional(),
    args: z.array(z.string()).default([]),
    /** All that it sees of the environment, beside PATH, HOME, LOGNAME, SHELL, TERM and USER. */
    env: z.record(text, z.string()).default({}),
    cwd: text.optional(),
    /** … or the address of streamable HTTP. */
    url: z.url({ protocol: /^https?$/, error: 'expected a URL that begins with http:// or https://' }).optional(),
    headers: z.record(text, z.string()).default({}),
    /** By the server's own names; left out: all of its tools. */
    allowedTools: z.array(text).optional(),
    /** All, none, or those named; left out: what does not say that it only reads. */
    requiresApproval: z.union([z.boolean(), z.array(text)]).optional(),
    timeoutMs: count(100, 3_600_000, 60_000),
    connectTimeoutMs: count(100, 600_000, 30_000),
    maxResultBytes: count(100, 50_000_000, 256 * 1024),
  })
  .superRefine(({ command, url, args, env, cwd, headers }, context) => {
    const fault = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (command === undefined && url === undefined) fault('command', 'expected a command, or a url');
    if (command !== undefined && url !== undefined) fault('url', 'expected either a command or a url, got both');
    if (command === undefined && (args.length > 0 || Object.keys(env).length > 0 || cwd !== undefined))
      fault('args', 'args, env and cwd are of a command');
    if (url === undefined && Object.keys(headers).length > 0) fault('headers', 'headers are of a url');
  });

/** By name. */
export const mcpServers = z.record(name, server);

export type ConfiguredMcpServer = z.infer<typeof server>;

export function mcpServerOptions(serverName: string, configured: ConfiguredMcpServer): McpServerOptions {
  const { command, args, env, cwd, url, headers, allowedTools, requiresApproval, ...bounds } = configured;
  return {
    name: serverName,
    // The schema refuses a server that has neither.
    at:
      command === undefined
        ? { type: 'http', url: url ?? '', headers }
        : { type: 'stdio', command, args, env, cwd: cwd ?? null },
    allowedTools: allowedTools ?? null,
    requiresApproval: requiresApproval ?? null,
    ...bounds,
  };
}
