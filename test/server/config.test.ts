import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from '../../server/config/config.ts';
import { configFile } from '../helpers/config-file.ts';
import { temporaryDirectory } from '../helpers/embedded-database.ts';

/** The faults of a configuration that must not load. */
async function faultsOf(environment: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const error = await loadConfig(environment).catch((reason: unknown) => reason);
  if (!(error instanceof ConfigError)) throw new Error(`expected a ConfigError, got ${JSON.stringify(error)}`);
  expect(error.message).toContain(error.faults.join('\n- '));
  return error.faults;
}

async function faultsIn(values: Readonly<Record<string, unknown>>): Promise<readonly string[]> {
  await using file = await configFile(values);
  return await faultsOf(file.environment);
}

describe('a configuration', () => {
  it('of nothing is whole: loopback, a data directory, the local models, and the documented bounds', async () => {
    const config = await loadConfig({});
    expect(config).toMatchObject({
      host: '127.0.0.1',
      port: 4000,
      dataDir: '.sluice',
      seedDocs: true,
      logLevel: 'info',
      allowedOrigins: [],
      retries: 2,
      openai: { apiKey: null, chatModel: 'gpt-4.1-mini', embeddingModel: 'text-embedding-3-small', maxConcurrent: 512 },
      limits: {
        maxRuns: 512,
        maxQueuedRuns: 2_048,
        maxSockets: 10_000,
        maxOperationsPerSocket: 100,
        maxDepth: 15,
        maxAliases: 150,
        maxTokens: 4_000,
        maxFirst: 100,
        maxFirstMessages: 500,
        maxDocumentsPerIngest: 1_000,
        maxDocumentChars: 1_000_000,
        maxBodyBytes: 20_000_000,
      },
      timeouts: { firstTokenMs: 60_000, idleMs: 30_000, totalMs: 600_000, unwatchedGraceMs: 5_000, drainMs: 20_000 },
      log: { retentionMs: 3_600_000 },
    });
    expect(config.apiKey).toBeUndefined();
    expect(config.databaseUrl).toBeUndefined();
    expect(config.openai.baseUrl).toBeUndefined();
  });

  it('takes every variable, and an empty one is one that is not set', async () => {
    const config = await loadConfig({
      HOST: '0.0.0.0',
      PORT: ' 8080 ',
      SLUICE_DATA_DIR: '/data',
      DATABASE_URL: 'postgresql://gateway@db/sluice',
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: 'http://127.0.0.1:11434/v1',
      SLUICE_CHAT_MODEL: 'llama',
      SLUICE_EMBEDDING_MODEL: '',
      SLUICE_API_KEY: 'a-key-of-16-characters',
      SLUICE_SEED_DOCS: 'false',
      LOG_LEVEL: 'debug',
    });
    expect(config).toMatchObject({
      host: '0.0.0.0',
      port: 8080,
      dataDir: '/data',
      databaseUrl: 'postgresql://gateway@db/sluice',
      openai: {
        apiKey: 'sk-test',
        baseUrl: 'http://127.0.0.1:11434/v1',
        chatModel: 'llama',
        embeddingModel: 'text-embedding-3-small',
      },
      apiKey: 'a-key-of-16-characters',
      seedDocs: false,
      logLevel: 'debug',
    });
  });

  it('cannot be changed once it is read, at any depth', async () => {
    const config = await loadConfig({});
    expect(() => Object.assign(config, { port: 1 })).toThrow(TypeError);
    expect(() => Object.assign(config.limits, { maxRuns: 1 })).toThrow(TypeError);
    expect(() => config.openai.models.push({ name: 'x' })).toThrow(TypeError);
  });
});

describe('faults', () => {
  it('are all reported at once, each under the name that it was written with', async () => {
    await using file = await configFile({ limits: { maxRuns: 0 }, openai: { models: [{ name: '' }] } });
    const faults = await faultsOf({ ...file.environment, PORT: '70000', LOG_LEVEL: 'loud', SLUICE_SEED_DOCS: 'yes' });
    expect(faults).toHaveLength(5);
    expect(faults).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^PORT: .*65535.*got "70000"$/),
        expect.stringMatching(/^LOG_LEVEL: .*"info".*got "loud"$/),
        expect.stringMatching(/^SLUICE_SEED_DOCS: expected true or false, got "yes"$/),
        expect.stringMatching(/^limits\.maxRuns: .*>=1, got 0$/),
        expect.stringMatching(/^openai\.models\.0\.name: /),
      ]),
    );
  });

  it('name a key that there is not, so that a misspelt limit does not pass unnoticed', async () => {
    const faults = await faultsIn({ limits: { maxRun: 4 }, prot: 4000 });
    expect(faults).toHaveLength(2);
    expect(faults).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^limits: .*"maxRun"/),
        expect.stringMatching(/^the file: .*"prot"/),
      ]),
    );
  });

  it.each([
    [{ PORT: 'http' }, /^PORT: /],
    [{ PORT: '1.5' }, /^PORT: /],
    [{ PORT: '-1' }, /^PORT: /],
    [{ DATABASE_URL: 'mysql://db' }, /^DATABASE_URL: expected a URL that begins with postgres:\/\//],
    [{ OPENAI_BASE_URL: 'localhost:11434' }, /^OPENAI_BASE_URL: expected a URL that begins with http:\/\//],
    [
      { OPENAI_BASE_URL: 'http://ada:hunter2@127.0.0.1/v1' },
      /^OPENAI_BASE_URL: expected a URL without user.*OPENAI_API_KEY$/,
    ],
    [{ OPENAI_BASE_URL: 'http://127.0.0.1/v1?key=a' }, /^OPENAI_BASE_URL: expected a URL without .*query/],
    [{ SLUICE_API_KEY: 'short' }, /^SLUICE_API_KEY: expected at least 16 characters/],
  ])('say what was expected: %j', async (environment, fault) => {
    expect(await faultsOf(environment as Record<string, string>)).toEqual([expect.stringMatching(fault)]);
  });

  it('do not show a secret that is wrong', async () => {
    const [fault = ''] = await faultsOf({ SLUICE_API_KEY: 'too-short-a-key' });
    expect(fault).not.toContain('too-short-a-key');
    for (const variable of ['DATABASE_URL', 'REDIS_URL', 'OPENAI_BASE_URL']) {
      const faults = await faultsOf({ [variable]: 'gopher://gateway:hunter2@db' });
      expect(faults[0]).toMatch(new RegExp(`^${variable}: expected`));
      expect(faults.join()).not.toContain('hunter2');
    }
    await using file = await configFile({
      telemetry: { otlpEndpoint: 'gopher://me:hunter2@db', otlpHeaders: { a: 2 } },
    });
    const inFile = (await faultsOf(file.environment)).join();
    expect(inFile).toMatch(/telemetry\.otlpEndpoint: expected/);
    expect(inFile).not.toContain('hunter2');
  });
});

describe('the file that SLUICE_CONFIG names', () => {
  it('may be JSON; the environment wins over it, value by value', async () => {
    await using file = await configFile({ port: 5000, openai: { apiKey: 'sk-file', chatModel: 'from-file' } });
    const config = await loadConfig({ ...file.environment, SLUICE_CHAT_MODEL: 'from-environment' });
    expect(config).toMatchObject({ port: 5000, openai: { apiKey: 'sk-file', chatModel: 'from-environment' } });
  });

  it('may be TypeScript, by its default export', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'sluice.config.ts');
    await writeFile(path, 'const maxRuns: number = 2 * 3;\nexport default { limits: { maxRuns } };\n');
    expect((await loadConfig({ SLUICE_CONFIG: path })).limits).toMatchObject({ maxRuns: 6, maxQueuedRuns: 2_048 });
  });

  it.each([
    ['is not there', null, /nowhere\.json: .*ENOENT/],
    ['is no JSON', '{', /broken\.json: .*JSON/],
    ['is a list', '[]', /broken\.json: expected an object/],
    ['has no default export', 'export const limits = {};', /broken\.ts: expected an object/],
  ])('that %s is a fault with its path', async (_name, content, fault) => {
    await using directory = await temporaryDirectory();
    const name = content === null ? 'nowhere.json' : content.startsWith('export') ? 'broken.ts' : 'broken.json';
    const path = join(directory.path, name);
    if (content !== null) await writeFile(path, content);
    expect(await faultsOf({ SLUICE_CONFIG: path })).toEqual([expect.stringMatching(fault)]);
  });
});
