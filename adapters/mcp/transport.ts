import type { Readable } from 'node:stream';
import { StreamableHTTPClientTransport, type Transport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import type { Logger } from '../../core/contracts/logger.ts';
import { boundedFetch } from './bounded-fetch.ts';
import type { McpServerOptions } from './server-options.ts';
import { logStderr } from './stderr-lines.ts';

/** A message is a result with its envelope, in which each of its characters may be escaped; or a list of tools. */
const envelopeBytes = 4 * 1024 * 1024;

export function createTransport({ at, maxResultBytes }: McpServerOptions, logger: Logger): Transport {
  const maxMessageBytes = 2 * maxResultBytes + envelopeBytes;
  if (at.type === 'http') {
    return new StreamableHTTPClientTransport(new URL(at.url), {
      requestInit: { headers: at.headers },
      fetch: boundedFetch(maxMessageBytes),
    });
  }
  const { command, args, env, cwd } = at;
  const transport = new StdioClientTransport({
    command,
    args: [...args],
    env: { ...env },
    ...(cwd === null ? {} : { cwd }),
    stderr: 'pipe',
    maxBufferSize: maxMessageBytes,
  });
  // With 'pipe' it is there at once, and a stream that can be read.
  if (transport.stderr !== null) logStderr(transport.stderr as Readable, logger);
  return transport;
}
