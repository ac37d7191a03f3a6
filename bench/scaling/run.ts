import { quantile } from '../streams/vendor-process.ts';
import { type SimulationOptions, type SimulationResult, simulate } from './simulation.ts';

/**
 * What leases, looks and failures cost a database, and how long a run is without an instance, by a simulation of the instances of
 * core/runs. How long statements last is measured by bench/scaling/costs.ts. Exits with 1 when a run was taken twice or not at all.
 */
const base = {
  runsPerInstance: 1_000,
  meanRunMs: 20_000,
  lookMs: 1,
  takeMs: 5,
  room: 2_560,
  seed: 1,
} as const satisfies Partial<SimulationOptions>;
const statementsOfAChat = 6;

const begun = performance.now();
let isWrong = false;

console.log('Each of 20 instances is killed at a random moment, 5 others are stopped for 1.5 leases and wake up.');
console.log(`${base.runsPerInstance} chats of ${base.meanRunMs / 1_000} s on each instance.\n`);
console.log(
  '| instances | lease | taken over p50 | p99 | at most | heartbeats/s | looks/s | takeovers/s | chats/s | to one other, p50 |',
);
console.log('|---|---|---|---|---|---|---|---|---|---|');
for (const instances of [10, 100, 1_000]) {
  for (const leaseMs of [1_000, 10_000, 30_000]) {
    const result = checked({ ...base, instances, leaseMs, kills: 20, stalls: 5 });
    const { heartbeats, looks, takeovers, ends } = rates(result);
    const times = [...takeoverTimes(result), heartbeats.toFixed(1), looks.toFixed(1), takeovers.toFixed(2)];
    console.log(`| ${[instances, `${leaseMs / 1_000} s`, ...times, ends.toFixed(0), shareOf(result)].join(' | ')} |`);
  }
}
console.log(`\nA chat is about ${statementsOfAChat} statements; they are the load, the leases are not.\n`);

console.log('A tenth of 1,000 instances is killed at one moment, with a lease of 10 s.\n');
console.log('| a statement locks | taken over p50 | p99 | at most | to one other, p50 |');
console.log('|---|---|---|---|---|');
for (const deadPerLook of [Number.POSITIVE_INFINITY, 1]) {
  const zone = { ...base, instances: 1_000, leaseMs: 10_000, kills: 100, killedTogether: true, stalls: 0, deadPerLook };
  const result = checked(zone);
  console.log(
    `| ${[deadPerLook === 1 ? 'one of the dead' : 'all of the dead', ...takeoverTimes(result), shareOf(result)].join(' | ')} |`,
  );
}
console.log(`\nSimulated in ${((performance.now() - begun) / 1_000).toFixed(1)} s, seed ${base.seed}.`);
if (isWrong) process.exitCode = 1;

function checked(options: SimulationOptions): SimulationResult {
  const result = simulate(options);
  const { lost, taken, takenTwice, leftOver } = result;
  if (takenTwice > 0 || leftOver > 0 || taken !== lost) {
    console.error(`FAILED: ${lost} runs lost, ${taken} taken, ${takenTwice} taken twice, ${leftOver} left over`);
    isWrong = true;
  }
  return result;
}

function takeoverTimes({ takeoverMs }: SimulationResult): string[] {
  return [0.5, 0.99, 1].map((share) => `${(quantile(takeoverMs, share) / 1_000).toFixed(2)} s`);
}

/** Of the runs of a killed instance, those that the same other one took. */
function shareOf({ largestShares }: SimulationResult): string {
  return `${Math.round(100 * quantile(largestShares, 0.5))} %`;
}

function rates({ statements, seconds }: SimulationResult): SimulationResult['statements'] {
  const { heartbeats, looks, takeovers, claims, ends } = statements;
  return {
    heartbeats: heartbeats / seconds,
    looks: looks / seconds,
    takeovers: takeovers / seconds,
    claims: claims / seconds,
    ends: ends / seconds,
  };
}
