import { defineConfig } from 'vitest/config';

export default defineConfig({
  // graphql has a build for the condition "development", which Vite adds and Node does not: two of them would be loaded.
  // Not "import" either: Vitest hands these to Node, whose `require` would then be given ES modules.
  ssr: { resolve: { conditions: ['node', 'module', 'default'], externalConditions: ['node'] } },
  test: {
    include: ['test/**/*.test.ts'],
    // Real sockets, databases and models on few cores: a test waits for what it tests, not for a clock.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
    maxWorkers: 2,
  },
});
