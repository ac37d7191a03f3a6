import { expect, test } from 'vitest';
import { runScenario } from '../../../bench/resilience/scenario.ts';
import { faultMix, faults } from '../../helpers/vendor/fault-mix.ts';

test('of 500 calls of a route whose first target fails in five ways nearly all are answered, with few provider calls', async () => {
  const outcome = await runScenario({ calls: 500, atOnce: 16, a: faultMix(2_000, 0.3, 7), b: [] });
  expect(outcome.answered / 500).toBeGreaterThanOrEqual(0.995);
  expect((outcome.vendorCalls.a + outcome.vendorCalls.b) / 500).toBeLessThanOrEqual(1.4);
  expect(outcome.tooEarly).toBe(0);
  expect(outcome.shortestPauseMs).toBeGreaterThanOrEqual(1_000);
});

test('and when no pause is asked for, so that the faulty target is called every time', async () => {
  const outages = Object.values(faults).filter((fault) => fault !== faults['rate limit']);
  const outcome = await runScenario({ calls: 500, atOnce: 16, a: faultMix(2_000, 0.3, 7, outages), b: [] });
  expect(outcome.answered / 500).toBeGreaterThanOrEqual(0.995);
  expect(outcome.vendorCalls.a).toBeGreaterThan(300);
  expect((outcome.vendorCalls.a + outcome.vendorCalls.b) / 500).toBeLessThanOrEqual(1.4);
});

test('the circuit of a target that is down opens, tries again, and closes when it is well', async () => {
  const down = Array.from({ length: 12 }, () => ({ status: 500 }));
  const paced = Array.from({ length: 1_000 }, () => ({ latencyMs: 20 }));
  const options = { circuit: { openMs: 200 } };
  const outcome = await runScenario({ calls: 400, atOnce: 4, a: [...down, ...paced], b: paced, options });
  expect(outcome.answered).toBe(400);
  const states = outcome.circuit.map(({ state }) => state);
  expect(states[0]).toBe('OPEN');
  expect(states.slice(-2)).toEqual(['HALF_OPEN', 'CLOSED']);
});
