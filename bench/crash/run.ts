import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { crashRounds } from './rounds.ts';

/**
 * Kills the gateway with SIGKILL at random moments of ingest and chat, and checks after each restart on the same directory that
 * nothing that was confirmed is lost and nothing is half written. Exits with 1 on the first kind of fault, and names all.
 */
const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '100' }, seed: { type: 'string', default: '1' } },
});
const wanted = Number(values.rounds);
const dataDir = await mkdtemp(join(tmpdir(), 'sluice-crash-'));
console.log(
  `${availableParallelism()} cores of ${cpus()[0]?.model ?? 'an unknown processor'}, Node ${process.version}, seed ${values.seed}\n`,
);
try {
  const rounds = await crashRounds({
    dataDir,
    rounds: wanted,
    seed: Number(values.seed),
    report({ number, provider, killedAfterMs, interrupted, finished, readyMs, faults }) {
      console.log(
        `round ${number} (${provider}): killed after ${killedAfterMs} ms, ${finished} runs finished, ${interrupted} interrupted; ready after ${readyMs.toFixed(0)} ms${faults.length === 0 ? '' : `\n  FAULT: ${faults.join('\n  FAULT: ')}`}`,
      );
    },
  });
  const faulty = rounds.filter(({ faults }) => faults.length > 0).length;
  const sum = (count: (round: (typeof rounds)[number]) => number) =>
    rounds.reduce((total, round) => total + count(round), 0);
  console.log(
    `\n${rounds.length} kills: ${faulty} with a fault; ${sum((round) => round.interrupted)} runs interrupted, ${sum((round) => round.finished)} finished; slowest restart ${Math.max(...rounds.map(({ readyMs }) => readyMs)).toFixed(0)} ms`,
  );
  if (faulty > 0 || rounds.length < wanted) process.exitCode = 1;
} finally {
  await rm(dataDir, { recursive: true, force: true });
}
