import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

/** Loaded into the gateway under measure, where TypeScript would bring a compiler along: SIGUSR2 makes it say how late its event loop ran since the last time, and begin anew. */
if (isMainThread) {
  const resolution = 10;
  const delay = monitorEventLoopDelay({ resolution });
  delay.enable();
  process.on('SIGUSR2', () => {
    // The histogram counts its own interval too.
    const p99Ms = Math.max(0, delay.percentile(99) / 1e6 - resolution);
    process.stderr.write(`event loop delay p99 ${p99Ms.toFixed(1)} ms\n`);
    delay.reset();
  });
}
