import { readdirSync, readFileSync } from 'node:fs';

const tasks = '/proc/self/task';

/**
 * Milliseconds that threads of this process have stood in the queue for a processor since. Taken off a time on the wall, what is left
 * is about what the same would have taken on a machine that does nothing else. Zero where the system does not count them.
 */
export function processorWait(): () => number {
  const before = waitsOfThreads();
  return () => {
    let waitedMs = 0;
    for (const [thread, waited] of waitsOfThreads()) waitedMs += waited - (before.get(thread) ?? 0);
    return waitedMs;
  };
}

/** By thread. The second number of a schedstat are the nanoseconds that it could have run, and was not let. */
function waitsOfThreads(): ReadonlyMap<string, number> {
  const waits = new Map<string, number>();
  for (const thread of threads()) {
    try {
      const waitedNs = readFileSync(`${tasks}/${thread}/schedstat`, 'utf8').split(' ')[1];
      waits.set(thread, Number(waitedNs) / 1_000_000);
    } catch {
      // It has ended in between.
    }
  }
  return waits;
}

function threads(): readonly string[] {
  try {
    return readdirSync(tasks);
  } catch {
    return [];
  }
}
