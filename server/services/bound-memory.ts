import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { isMainThread } from 'node:worker_threads';

/** Of one half of the heap for new objects, the other being where they are copied to. */
const enoughBytes = 32 * 1024 * 1024;
const tolerance = 0.9;

let observer: PerformanceObserver | null = null;

/**
 * Keeps the main thread's heap for new objects at twice 32 MB. On a machine with much memory V8 lets it grow to twice 64, where a
 * call costs as much processor time and the process 50 MB more; with twice 16 a call costs a sixth more. V8 makes it smaller where
 * nothing is done, so it must be free to grow up to there again.
 */
export function boundMemory(): void {
  if (!isMainThread || observer !== null) return;
  let mayGrow: boolean | null = null;
  observer = new PerformanceObserver(() => {
    const isEnough = newSpaceBytes() >= tolerance * enoughBytes;
    if (mayGrow === !isEnough) return;
    mayGrow = !isEnough;
    setFlagsFromString(`--semi-space-growth-factor=${mayGrow ? 2 : 1}`);
  });
  observer.observe({ entryTypes: ['gc'] });
}

/** What it has room for now: one half. */
function newSpaceBytes(): number {
  const space = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
  return space === undefined ? 0 : space.space_used_size + space.space_available_size;
}
