import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKey } from '../../helpers/api-keys.ts';
import { temporaryDataDirectory } from '../../helpers/embedded-database.ts';
import { startGateway, type TestGateway } from '../../helpers/gateway.ts';
import { startVendor } from '../../helpers/vendor/vendor.ts';
import { runCommand } from './run-command.ts';
import { runSluice } from './run-sluice.ts';

const secretShape = /^sk-sluice-[0-9a-f]{12}-[\w-]{43}\n$/;
const opened = new AsyncDisposableStack();
let dataDir: string;
beforeAll(async () => {
  dataDir = opened.use(await temporaryDataDirectory()).path;
});
afterAll(() => opened.disposeAsync());

/** As a person starts it; the commands after the first one run in this process. */
const asProcess = (args: readonly string[]) => runSluice(['key', ...args], { env: { SLUICE_DATA_DIR: dataDir } });
const key = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  runCommand(['key', ...args], { env: { SLUICE_DATA_DIR: dataDir, ...env } });

describe('sluice key, at the database', () => {
  let keeper: string;

  it('makes a first key: the secret on stdout, all else on stderr', async () => {
    const made = await asProcess(['create', '--name', 'keeper', '--scopes', 'admin, operator', '--expires', '30d']);
    expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(secretShape) });
    expect(made.stderr).toMatch(/^key [0-9a-f]{12} "keeper" of tenant default: ADMIN, OPERATOR, until 20/);
    keeper = made.stdout.trim();
  });

  it('says why it makes none', async () => {
    const taken = await key(['create', '--name', 'keeper', '--scopes', 'search']);
    expect(taken).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^sluice: CONFLICT: .*"keeper"/),
    });
    const wrong = await key(['create', '--name', 'x', '--scopes', 'chat', '--runs-at-once', '0.5']);
    expect(wrong).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/BAD_INPUT: limits\.maxConcurrentRuns .*got 0\.5/),
    });
  });

  it('lists keys of a tenant, and revokes one of them once', async () => {
    await key(['create', '--name', 'theirs', '--scopes', 'chat', '--tenant', 'acme', '--usd-per-day', '2.5']);
    const { stdout } = await key(['list', '--tenant', 'acme', '--json']);
    const [theirs] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(theirs).toMatchObject({ name: 'theirs', tenant: 'acme', limits: { budgetUsdPerDay: 2.5 }, revokedAt: null });
    expect((await key(['revoke', theirs.prefix])).stdout).toBe(`revoked ${theirs.prefix}\n`);
    expect((await key(['revoke', theirs.prefix])).stdout).toBe(`${theirs.prefix} was revoked already\n`);
  });

  describe('that a gateway has open', () => {
    const opened = new AsyncDisposableStack();
    let gateway: TestGateway;
    beforeAll(async () => {
      const vendor = opened.use(await startVendor());
      gateway = opened.use(await startGateway({ dataDir, vendor }));
    });
    afterAll(() => opened.disposeAsync());

    it('asks that one, and needs a key of it', async () => {
      const PORT = new URL(gateway.url).port;
      const refused = await key(['list'], { PORT });
      expect(refused).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^sluice: UNAUTHENTICATED: .*SLUICE_API_KEY/),
      });
      const { stdout } = await key(['list'], { PORT, SLUICE_API_KEY: keeper });
      expect(stdout).toContain(' keeper ');
    });

    it('works through it with such a key', async () => {
      const { secret } = await createKey(gateway, { name: 'admin', scopes: ['ADMIN'] }, keeper);
      const env = { SLUICE_URL: gateway.url, SLUICE_API_KEY: secret };
      const made = await key(['create', '--name', 'through', '--scopes', 'search'], env);
      expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(secretShape) });
      const through = made.stdout.split('-')[2] ?? '';
      expect((await key(['list'], env)).stdout).toMatch(
        new RegExp(`^PREFIX .*\n${through} +through +default +good +never +SEARCH\n`),
      );
      expect((await key(['revoke', through], env)).stdout).toBe(`revoked ${through}\n`);
      expect(await key(['create', '--name', 'theirs', '--scopes', 'search', '--tenant', 'acme'], env)).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/FORBIDDEN: .*OPERATOR/),
      });
    });
  });
});

it.each([
  [['create', '--scopes', 'chat'], /required option '--name <name>'/],
  [['create', '--name', 'x', '--scopes', 'chat,foo'], /There is no scope "foo"/],
  [['create', '--name', 'x', '--scopes', 'chat', '--expires', 'soon'], /It must be a time such as/],
  [['create', '--name', 'x', '--scopes', 'chat', '--usd-per-day', 'much'], /It must be a number/],
  [['revoke'], /missing required argument 'prefix'/],
])('%j is wrong usage', async (args, message) => {
  expect(await key(args)).toMatchObject({ code: 2, stderr: expect.stringMatching(message) });
});
