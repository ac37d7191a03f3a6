import { cpus } from 'node:os';
import type { Behaviour } from '../../test/helpers/vendor/behaviour.ts';
import { faultMix, faults } from '../../test/helpers/vendor/fault-mix.ts';
import { type Outcome, runScenario, type Scenario } from './scenario.ts';

const calls = 500;
const seeds = [1, 2, 3];
const down = (count: number): Behaviour[] => Array.from({ length: count }, () => ({ status: 500 }));
const quick = { circuit: { openMs: 500 } };
const base = { calls, atOnce: 16 };
const outages = Object.values(faults).filter((fault) => fault !== faults['rate limit']);
const paced: Behaviour = { latencyMs: 20 };
const clean = Array.from({ length: 4 * calls }, () => paced);

const scenarios: readonly { readonly name: string; readonly of: (seed: number) => Scenario }[] = [
  { name: 'both clean', of: () => ({ ...base, a: clean, b: clean }) },
  { name: 'A 30% faults, B clean', of: (seed) => ({ ...base, a: faultMix(4 * calls, 0.3, seed), b: [] }) },
  {
    // A 429 sends everybody to B for a second: without it A is called all the time.
    name: 'A 30% faults, no 429; B clean',
    of: (seed) => ({ ...base, a: faultMix(4 * calls, 0.3, seed, outages), b: [] }),
  },
  {
    name: 'A down for 14 calls, then clean; B clean',
    of: () => ({ ...base, a: [...down(14), ...clean], b: clean, options: quick }),
  },
  {
    name: 'both 30% faults',
    of: (seed) => ({ ...base, a: faultMix(4 * calls, 0.3, seed), b: faultMix(4 * calls, 0.3, seed + 100) }),
  },
];

// The first calls of a process load and compile what the others only use.
await runScenario({ calls: 50, atOnce: 4, a: [], b: [] });
console.log(`${calls} calls of a route with the targets A and B, 16 at once, seeds ${seeds.join(', ')}`);
console.log(`${cpus()[0]?.model ?? 'unknown CPU'} × ${cpus().length}, Node ${process.version}\n`);
console.log('| scenario | answered | provider calls each | before Retry-After | p50; p99 | circuit of A |');
console.log('| --- | --- | --- | --- | --- | --- |');
for (const { name, of } of scenarios) {
  for (const seed of seeds) console.log(row(`${name} (${seed})`, await runScenario(of(seed))));
}

function row(name: string, outcome: Outcome): string {
  const { answered, failed, vendorCalls, tooEarly, shortestPauseMs, circuit } = outcome;
  const failures = Object.entries(failed).map(([code, count]) => ` ${count} ${code}`);
  const early = `${tooEarly}${shortestPauseMs === null ? '' : `; shortest pause ${shortestPauseMs.toFixed(0)} ms`}`;
  const states = circuit.map(({ state, atMs }) => `${state} ${atMs} ms`).join(' → ');
  return `| ${[
    name,
    `${((100 * answered) / calls).toFixed(1)}%${failures}`,
    `${((vendorCalls.a + vendorCalls.b) / calls).toFixed(2)} (A ${vendorCalls.a}, B ${vendorCalls.b})`,
    early,
    `${outcome.p50Ms.toFixed(0)}; ${outcome.p99Ms.toFixed(0)} ms`,
    states === '' ? 'closed' : states,
  ].join(' | ')} |`;
}
