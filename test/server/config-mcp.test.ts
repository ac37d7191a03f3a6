import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from '../../server/config/config.ts';
import { configFile } from '../helpers/config-file.ts';

async function load(mcpServers: unknown, environment: Readonly<Record<string, string>> = {}) {
  await using file = await configFile({ mcpServers });
  return await loadConfig({ ...file.environment, ...environment });
}

async function faultsOf(mcpServers: unknown): Promise<string> {
  const error = await load(mcpServers).catch((reason: unknown) => reason);
  if (!(error instanceof ConfigError)) throw new Error('expected a ConfigError');
  return error.faults.join('\n');
}

describe('an MCP server of the configuration', () => {
  it('is a program or an address, with the documented bounds', async () => {
    const { mcpServers } = await load({ files: { command: 'npx', args: ['-y'] }, far: { url: 'https://far/mcp' } });
    expect(mcpServers).toMatchObject({
      files: { command: 'npx', args: ['-y'], env: {}, timeoutMs: 60_000, connectTimeoutMs: 30_000 },
      far: { url: 'https://far/mcp', headers: {}, maxResultBytes: 262_144 },
    });
  });

  it('takes the secrets of its environment and headers from variables', async () => {
    const servers = {
      files: { command: 'npx', env: { TOKEN: '$FILES_TOKEN', MODE: 'read' } },
      far: { url: 'https://far/mcp', headers: { authorization: '$FAR', other: '$NOT_SET' } },
    };
    const { mcpServers } = await load(servers, { FILES_TOKEN: 'of-files', FAR: 'Bearer far' });
    expect(mcpServers['files']?.env).toEqual({ TOKEN: 'of-files', MODE: 'read' });
    expect(mcpServers['far']?.headers).toEqual({ authorization: 'Bearer far' });
  });

  it('that is neither, both, or misnamed is a fault with its path', async () => {
    expect(await faultsOf({ none: {} })).toBe('mcpServers.none.command: expected a command, or a url');
    expect(await faultsOf({ both: { command: 'a', url: 'http://b' } })).toMatch(
      /^mcpServers\.both\.url: expected either a command or a url, got both/,
    );
    expect(await faultsOf({ far: { url: 'http://b', args: ['a'] } })).toMatch(/args, env and cwd are of a command/);
    expect(await faultsOf({ near: { command: 'a', headers: { a: 'b' } } })).toMatch(/headers are of a url/);
    expect(await faultsOf({ under_score: { command: 'a' } })).toMatch(/^mcpServers\.under_score: .*1–24 letters/);
  });

  it('does not show what may be a secret', async () => {
    const faults = await faultsOf({
      far: { url: 'gopher://me:hunter2@far', headers: { authorization: 2 } },
      near: { command: 'a', args: 'hunter2', env: { TOKEN: 3 } },
    });
    expect(faults).toMatch(/mcpServers\.far\.url: expected a URL/);
    expect(faults).not.toContain('hunter2');
  });
});
