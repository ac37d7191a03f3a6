import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';

/** Loaded into the gateway under measure: SIGUSR2 makes it collect all garbage and say what it holds then. */
if (isMainThread) {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  process.on('SIGUSR2', () => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    process.stderr.write(`held after collecting: ${((heapUsed + external) / 2 ** 20).toFixed(2)} MB\n`);
  });
}
