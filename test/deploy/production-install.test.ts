import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { startGateway } from '../helpers/gateway.ts';
import { type BareImage, buildBareImage, contextEntries } from './bare-image.ts';
import { type Container, ready, startContainer } from './container.ts';

const key = 'a-key-of-this-test-only';
const quiet = { SLUICE_API_KEY: key, LOG_LEVEL: 'warn' };
const opened = new AsyncDisposableStack();
let image: BareImage;

beforeAll(async () => {
  image = opened.use(await buildBareImage());
}, 300_000);
afterAll(() => opened.disposeAsync());

/** Paths of the app's own files, below its directory. */
async function shippedFiles(): Promise<string[]> {
  const app = image.path(image.dockerfile.settings.workdir);
  const files = await readdir(app, { recursive: true, withFileTypes: true });
  return files
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name).slice(app.length + 1))
    .filter((file) => !file.startsWith('node_modules/'));
}

async function ask(container: Container, query: string, variables: Record<string, unknown> = {}) {
  const response = await fetch(`${container.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ query, variables }),
  });
  return (await response.json()) as { data: Record<string, unknown>; errors?: unknown };
}

describe('the image, by the steps of its Dockerfile', () => {
  it('has the Node that the tests run on, in every stage', () => {
    const { node } = packageJson.devDependencies;
    expect(image.dockerfile.stages.map((stage) => stage.image)).toEqual(
      image.dockerfile.stages.map(() => expect.stringMatching(new RegExp(`^node:${node.replaceAll('.', '\\.')}-`))),
    );
  });

  it('holds the rooms of the house, and neither tests nor anything that is not named', async () => {
    const files = await shippedFiles();
    const entries = await contextEntries();
    expect(new Set(files.map((file) => file.split('/')[0]))).toEqual(
      new Set(entries.map((entry) => entry.split('/')[0])),
    );
    expect(files.filter((file) => /(^|\/)(\.env|test|bench)/.test(file))).toEqual([]);
  });

  it('imports nothing that is only a dev dependency, and has none installed', async () => {
    const sources = (await shippedFiles()).filter((file) => /\.[jt]s$/.test(file));
    const app = image.path(image.dockerfile.settings.workdir);
    const imported = new Set<string>();
    for (const file of sources) {
      const text = await readFile(join(app, file), 'utf8');
      for (const [, name = ''] of text.matchAll(
        /\b(?:from |import |import\(|resolve\()'(?!node:|\.)((?:@[\w.-]+\/)?[\w.-]+)/g,
      ))
        imported.add(name);
    }
    expect(imported.size).toBeGreaterThan(20);
    // bin/sluice.js looks for the package `node` where the Node that runs it is too old.
    expect([...imported].filter((name) => name !== 'node' && !(name in packageJson.dependencies))).toEqual([]);
    const lock = JSON.parse(await readFile(join(app, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { dev?: boolean }>;
    };
    const dev = Object.keys(lock.packages).filter((path) => lock.packages[path]?.dev);
    expect(dev.filter((path) => existsSync(join(app, path)))).toEqual([]);
  });

  it('refuses to start without a key, since it listens to everybody', async () => {
    const environment = { HOST: image.dockerfile.settings.environment['HOST'] ?? '', SLUICE_API_KEY: '' };
    await expect(startGateway({ environment })).rejects.toThrow(/HOST: .*SLUICE_API_KEY/s);
  });

  it('answers as a user that may write into its data directory only, and exits with 0 on SIGTERM, and goes on from there', async () => {
    const before = (await shippedFiles()).sort();
    await using container = await startContainer(image, quiet);
    await ready(container);
    // What Node compiled is kept before the end, which may be a crash.
    await expect.poll(async () => (await readdir(image.compiled, { recursive: true })).length).toBeGreaterThan(100);
    expect(await container.checkHealth()).toBe(0);

    const refused = await fetch(`${container.url}/graphql?query={__typename}`);
    await refused.body?.cancel();
    expect(refused.status).toBe(401);

    const found = await ask(container, '{ search(query: "resume a stream", first: 1) { nodes { text } } }');
    expect(found).toMatchObject({ data: { search: { nodes: [{ text: expect.any(String) }] } } });
    const chat = await ask(
      container,
      `mutation Chat($runId: UUID!) {
        startChat(input: { runId: $runId, message: "How are answers cited?", retrieval: {} }) {
          run { status reply { text citations { quote } } }
        }
      }`,
      { runId: randomUUID() },
    );
    expect(chat).toMatchObject({
      data: {
        startChat: {
          run: {
            reply: { text: expect.stringContaining('[1]'), citations: expect.arrayContaining([expect.anything()]) },
          },
        },
      },
    });

    expect(await container.stop()).toBe(0);
    expect(await container.checkHealth()).toBe(1);
    expect(container.output()).not.toMatch(/"level":"(error|fatal)"|Warning/);
    expect((await shippedFiles()).sort()).toEqual(before);
    expect(await readdir(image.path('/tmp'))).toEqual([]);
    expect(await readdir(image.path('/data'))).toContain('postgres');

    await using again = await startContainer(image, quiet);
    await ready(again);
    const kept = await ask(again, '{ conversations(first: 5) { edges { node { title } } } }');
    expect(kept).toMatchObject({ data: { conversations: { edges: [{ node: { title: 'How are answers cited?' } }] } } });
    expect(await again.stop()).toBe(0);
  }, 300_000);
});
