import { globSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { memoryDirectory } from './test/helpers/memory-directory.ts';
import { isPoolerMissing } from './test/helpers/pooler.ts';
import { findPostgres } from './test/helpers/postgres-server.ts';

/** What touches SQL runs on both databases: on the embedded one as all tests do, and a second time on PostgreSQL. */
const onBothDatabases = [
  'test/adapters/postgres/{api-key,collection,conversation,document,embedding,hold,profile,run,stored-run}-store.test.ts',
  'test/adapters/postgres/{database,metadata-filter,search-index,tenant-isolation}.test.ts',
  'test/core/runs/takeover.test.ts',
  'test/e2e/{chat,ingest,chat/search-models}.test.ts',
];
/** What only a server has: sessions, a pool, a timeout. */
const onPostgres = [
  'test/adapters/postgres/{server-database,vector-indexes}.test.ts',
  'test/e2e/keys/instances.test.ts',
  'test/e2e/tools/parked.test.ts',
];
/** And what must not notice that there is a pooler in front of the server, which gives each transaction another session. */
const throughPooler = [
  'test/adapters/postgres/{api-key,conversation,document,embedding,hold,profile,run,stored-run}-store.test.ts',
  'test/adapters/postgres/{search-index,server-database}.test.ts',
];

/**
 * Files share a process, and what they import: loading the gateway anew for each took a third of the suite's processor time. So a file
 * leaves nothing behind; and one that changes what all of a process share (its clock, its tracer, a function of a module) has a
 * process of its own, in the project `embedded-alone`.
 */
const ofTheirOwn = globSync('test/**/*.test.ts').filter((path) =>
  /useFakeTimers|vi\.(mock|spyOn|stub)|opentelemetry|otlp/i.test(readFileSync(path, 'utf8')),
);

/** In CI what is missing is a failure (of postgres-setup.ts); elsewhere its tests are shown as skipped. */
const isPostgresMissing =
  process.env['CI'] === undefined &&
  process.env['SLUICE_TEST_DATABASE_URL'] === undefined &&
  'missing' in findPostgres();
const skipped = { testNamePattern: /^\b$/ };
const onServer = {
  globalSetup: 'test/helpers/postgres-setup.ts',
  setupFiles: 'test/helpers/on-postgres.ts',
  isolate: false,
};

export default defineConfig({
  // graphql has a build for the condition "development", which Vite adds and Node does not: two of them would be loaded.
  // Not "import" either: Vitest hands these to Node, whose `require` would then be given ES modules.
  ssr: { resolve: { conditions: ['node', 'module', 'default'], externalConditions: ['node'] } },
  test: {
    // Real sockets, databases and models on few cores: a test waits for what it tests, not for a clock. What costs processor time is
    // measured in that (helpers/cpu-stopwatch.ts); of a promise about time on the wall is taken what a busy machine did not let it run
    // (helpers/processor-wait.ts).
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
    // On two cores: a third of the time a file waits, for a lease, a pause, a process that starts.
    maxWorkers: 3,
    // Many tests start gateways and commands as processes; compiling the same modules is a quarter of what a start costs.
    env: {
      NODE_COMPILE_CACHE: join(tmpdir(), `sluice-test-compiled-${process.getuid?.() ?? 'all'}`),
      SLUICE_TEST_DIRECTORY: memoryDirectory() ?? tmpdir(),
    },
    projects: [
      {
        extends: true,
        test: {
          name: 'embedded',
          include: ['test/**/*.test.ts'],
          exclude: [...onPostgres, ...ofTheirOwn],
          isolate: false,
        },
      },
      { extends: true, test: { name: 'embedded-alone', include: ofTheirOwn } },
      {
        extends: true,
        test: {
          name: 'postgresql',
          include: [...onBothDatabases, ...onPostgres],
          ...onServer,
          ...(isPostgresMissing && skipped),
        },
      },
      {
        extends: true,
        test: {
          name: 'pooler',
          include: throughPooler,
          ...onServer,
          ...((isPostgresMissing || isPoolerMissing) && skipped),
        },
      },
    ],
  },
});
