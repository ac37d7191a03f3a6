import { describe, expect, it } from 'vitest';
import { Schedule } from '../../bench/scaling/schedule.ts';
import { type SimulationOptions, simulate } from '../../bench/scaling/simulation.ts';

const options: SimulationOptions = {
  ...{ instances: 20, runsPerInstance: 100, leaseMs: 1_000, seed: 1, kills: 10, stalls: 5, meanRunMs: 5_000 },
  ...{ lookMs: 1, takeMs: 5, room: 500 },
};

describe('the simulation of leases', () => {
  it.each([1, 2, 3, 4, 5])('takes every run of a killed instance over, and no run twice: seed %i', (seed) => {
    const result = simulate({ ...options, seed });
    expect(result.lost).toBeGreaterThan(5 * options.runsPerInstance);
    expect(result).toMatchObject({ taken: result.lost, leftOver: 0, takenTwice: 0 });
  });

  it('would take runs twice if a statement did not skip the dead that another one has locked', () => {
    const result = simulate({ ...options, instances: 200, skipLocked: false });
    expect(result.takenTwice).toBeGreaterThan(0);
  });

  it('takes no run over before its lease has expired, nor later than a lease and a look when there is little to take', () => {
    const { takeoverMs } = simulate({ ...options, kills: 3, stalls: 0 });
    // The last heartbeat was up to a third of a lease ago; a look comes after at most three quarters of one.
    expect(Math.min(...takeoverMs)).toBeGreaterThanOrEqual((options.leaseMs * 2) / 3);
    expect(Math.max(...takeoverMs)).toBeLessThan(options.leaseMs * 1.75 + 100);
  });

  it('asks the database as often as the leases say, whatever fails', () => {
    const { statements, seconds } = simulate({ ...options, kills: 0, stalls: 0 });
    expect(statements.heartbeats / seconds / options.instances).toBeCloseTo(3, 0);
    expect(statements.looks / seconds / options.instances).toBeCloseTo(2, 0);
    expect(statements.takeovers).toBe(0);
  });

  it('leaves the runs alone when nobody has room for them', () => {
    const result = simulate({ ...options, kills: 1, stalls: 0, room: options.runsPerInstance });
    expect(result).toMatchObject({ taken: 0, leftOver: result.lost });
  });

  it('gives the same result for the same seed', () => {
    expect(simulate(options)).toEqual(simulate(options));
    expect(simulate(options)).not.toEqual(simulate({ ...options, seed: 2 }));
  });
});

describe('the schedule', () => {
  it('runs in the order of time, and of what was put in first at the same time', () => {
    const schedule = new Schedule();
    const seen: string[] = [];
    for (const [ms, name] of [
      [30, 'd'],
      [10, 'a'],
      [20, 'b'],
      [20, 'c'],
      [40, 'never'],
    ] as const)
      schedule.after(ms, () => seen.push(`${name}${schedule.nowMs}`));
    schedule.runUntil(35);
    expect(seen).toEqual(['a10', 'b20', 'c20', 'd30']);
    expect(schedule.nowMs).toBe(35);
  });
});
