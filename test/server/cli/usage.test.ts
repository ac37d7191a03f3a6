import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import packageJson from '../../../package.json' with { type: 'json' };
import { runCommand } from './run-command.ts';
import { runSluice } from './run-sluice.ts';

let nowhere: string;
beforeAll(async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  nowhere = `http://127.0.0.1:${portOf(server)}/graphql`;
  server.close();
  await once(server, 'close');
});

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}

describe('the command line', () => {
  it('prints its version and its help', async () => {
    const [version, help] = await Promise.all([runSluice(['--version']), runSluice(['chat', '--help'])]);
    expect(version).toMatchObject({ code: 0, stdout: `${packageJson.version}\n`, stderr: '' });
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toContain('--no-retrieval');
  });

  it.each([
    [[], /Usage: sluice/],
    [['serach', 'x'], /unknown command 'serach'\n\(Did you mean search\?\)/],
    [['search'], /missing required argument 'query'/],
    [['search', 'x', '--first', '0'], /It must be a whole number, 1–100/],
    [['search', 'x', '--mode', 'fuzzy'], /Allowed choices are hybrid, vector, keyword/],
    [['search', ' '], /the query is empty/],
    [
      ['search', 'x', '--url', 'localhost:4000'],
      /--url \(SLUICE_URL\) must be an http or https address.*got localhost:4000/,
    ],
    [['search', 'x', '--api-key', 'a b'], /--api-key \(SLUICE_API_KEY\) must be printable ASCII/],
    [['ingest'], /missing required argument 'paths'/],
    [['ingest', 'no-such-folder'], /there is no file or folder no-such-folder/],
    [['chat', ''], /the message is empty/],
  ])('%j is wrong usage', async (args, message) => {
    const { code, stdout, stderr } = await runCommand(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

describe('a gateway that cannot be used', () => {
  it.each([
    ['search', 'x'],
    ['chat', 'x'],
  ])('says in one line what to do when nobody listens: %s', async (...args) => {
    const { code, stdout, stderr } = await runCommand(args, { env: { SLUICE_URL: nowhere } });
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(
        /^sluice: cannot reach the gateway at http:\/\/127\.0\.0\.1:\d+\/graphql \(.*ECONNREFUSED.*\): start it with `sluice start`, or set SLUICE_URL\n$/,
      ),
    });
  });

  it('shows the stack with LOG_LEVEL=debug', async () => {
    const { code, stderr } = await runCommand(['search', 'x', '--url', nowhere], { env: { LOG_LEVEL: 'debug' } });
    expect(code).toBe(1);
    expect(stderr).toMatch(/\n\s+at .*request\.ts/);
  });

  it('says that an ingest did not reach it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-usage-'));
    try {
      await writeFile(join(folder, 'a.md'), '# A\n\ntext');
      const { code, stderr } = await runCommand(['ingest', folder, '--url', nowhere]);
      expect(code).toBe(1);
      expect(stderr).toMatch(/^sluice: cannot reach the gateway/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('names an address that is no gateway', async () => {
    const server = createServer((_, response) =>
      response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>no</h1>'),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const { code, stderr } = await runCommand(['search', 'x', '--url', `http://127.0.0.1:${portOf(server)}/api`]);
      expect(code).toBe(1);
      expect(stderr).toMatch(/\/api answered 404 text\/html, which is no GraphQL: is the address right\?/);
    } finally {
      server.close();
    }
  });
});
