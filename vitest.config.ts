import { defineConfig } from 'vitest/config';

export default defineConfig({
  // graphql has a build for the condition "development", which Vite adds and Node does not: two of them would be loaded.
  ssr: { resolve: { conditions: ['node', 'import', 'module', 'default'], externalConditions: ['node', 'import'] } },
  test: {
    include: ['test/**/*.test.ts'],
    // Real sockets, databases and models on few cores: a test waits for what it tests, not for a clock.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
  },
});
