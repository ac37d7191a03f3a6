import { globSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/helpers/longest-first.ts';
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
 * leaves nothing behind. Those that take hold of what all of a process share have others: those that turn the clock, or watch a function
 * of a module, share one with their like, in the project `embedded-clock`, and open no database there, whose own clock would stop; those
 * that set the tracer, the environment or a module have one each, in `embedded-alone`.
 */
const sourceOf = (path: string): string => readFileSync(path, 'utf8');
const files = globSync('test/**/*.test.ts');
const ofTheirOwn = files.filter((path) => /vi\.(mock|stub)|opentelemetry|Otlp/.test(sourceOf(path)));
const ofOneClock = files.filter(
  (path) => !ofTheirOwn.includes(path) && /useFakeTimers|vi\.spyOn\((?!console)/.test(sourceOf(path)),
);

/** In CI what is missing is a failure (of postgres-setup.ts); elsewhere its tests are shown as skipped. */
const found = findPostgres();
const isPostgresMissing =
  process.env['CI'] === undefined && process.env['SLUICE_TEST_DATABASE_URL'] === undefined && 'missing' in found;
/** Files are shown without being loaded, which would take ten seconds. */
const skipped = (include: readonly string[]) => ({
  include: ['test/helpers/skipped-files.ts'],
  provide: { skipped: { files: globSync(include).sort(), why: 'missing' in found ? found.missing : 'no pgbouncer' } },
});
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
    sequence: { sequencer: LongestFirst },
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
          exclude: [...onPostgres, ...ofTheirOwn, ...ofOneClock],
          isolate: false,
        },
      },
      { extends: true, test: { name: 'embedded-clock', include: ofOneClock, isolate: false } },
      { extends: true, test: { name: 'embedded-alone', include: ofTheirOwn } },
      {
        extends: true,
        test: {
          name: 'postgresql',
          ...(isPostgresMissing
            ? skipped([...onBothDatabases, ...onPostgres])
            : { include: [...onBothDatabases, ...onPostgres], ...onServer }),
        },
      },
      {
        extends: true,
        test: {
          name: 'pooler',
          ...(isPostgresMissing || isPoolerMissing ? skipped(throughPooler) : { include: throughPooler, ...onServer }),
        },
      },
    ],
  },
});
