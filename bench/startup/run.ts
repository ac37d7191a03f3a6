import { access, mkdtemp, realpath, rm } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { delimiter, join, sep } from 'node:path';
import { type GatewayProcess, startGatewayProcess } from '../../test/helpers/gateway-process.ts';
import { chatOverTheDocs, twentySearches } from './first-use.ts';

/**
 * How long `node bin/sluice.js start` takes to /ready under the machine's own Node, on an empty data directory, on the same
 * one again, and after a kill -9; and whether the first things that people do then work. Exits with 1 when a bound is exceeded.
 */
const emptyWithinMs = 15_000;
const existingWithinMs = 5_000;
const repetitions = 5;

const node = await machinesOwnNode();
const dataDir = await mkdtemp(join(tmpdir(), 'sluice-startup-'));
const late: string[] = [];

console.log(
  `${availableParallelism()} cores of ${cpus()[0]?.model ?? 'an unknown processor'}, load ${loadavg()[0]?.toFixed(1)}, started by ${node}\n`,
);
try {
  await started('empty directory', emptyWithinMs, 'stop');
  for (let repetition = 1; repetition <= repetitions; repetition += 1) {
    await started(
      `existing directory, start ${repetition}`,
      existingWithinMs,
      repetition < repetitions ? 'stop' : 'kill',
    );
  }
  await started('existing directory, after a kill -9', existingWithinMs, 'stop');
} finally {
  await rm(dataDir, { recursive: true, force: true });
}
if (late.length > 0) {
  console.error(`\nFAILED: ${late.join('; ')}`);
  process.exitCode = 1;
}

async function started(what: string, withinMs: number, end: 'stop' | 'kill'): Promise<void> {
  // The command runs the gateway in a process below its own when its Node is too old; then a kill must hit that one.
  const direct = end === 'kill';
  await using gateway = await startGatewayProcess({ dataDir, ...(direct ? {} : { node }) });
  const within = gateway.readyMs <= withinMs;
  console.log(`${what.padEnd(40)} ${seconds(gateway.readyMs)} to /ready (at most ${seconds(withinMs)})`);
  if (!within) late.push(`${what} took ${seconds(gateway.readyMs)}`);
  if (what === 'empty directory') await firstUse(gateway);
  if (end === 'kill') return gateway.kill();
  const code = await gateway.stop();
  if (code !== 0) late.push(`${what}: stopped with exit code ${code}`);
}

async function firstUse(gateway: GatewayProcess): Promise<void> {
  const searches = await twentySearches(gateway);
  console.log(`  20 searches in one operation: hits in ${searches.answered} of 20, ${searches.ms.toFixed(0)} ms`);
  if (searches.answered < 20) late.push('a search over the docs found nothing');
  const chat = await chatOverTheDocs(gateway);
  console.log(
    `  a chat over the docs: ${chat.deltas} deltas, ${chat.citations} citations, first text after ${chat.firstTextMs.toFixed(0)} ms, saved as streamed: ${chat.savedAsStreamed}`,
  );
  if (chat.deltas < 2 || chat.citations < 1 || !chat.savedAsStreamed) late.push('the chat was not as expected');
}

/** The `node` that the machine has, not the project's own. */
async function machinesOwnNode(): Promise<string> {
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    const candidate = join(directory, 'node');
    const path = await access(candidate).then(
      () => realpath(candidate),
      () => null,
    );
    if (path !== null && !path.includes(`${sep}node_modules${sep}`)) return path;
  }
  return process.execPath;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(2)} s`;
}
