import { describe, expect, test } from 'vitest';
import { findPostgres } from '../helpers/postgres-server.ts';
import { hasRedis } from '../helpers/redis-server.ts';
import { faultRun, summary } from './fault-run.ts';
import { wrongs } from './observed-run.ts';
import { killedInstance } from './scenarios.ts';

/** Missing servers are a failure on CI: `hasRedis` and the start of PostgreSQL say so. */
const hasServers = hasRedis && (!('missing' in findPostgres()) || process.env['CI'] !== undefined);

describe.skipIf(!hasServers)('real processes under faults (the short form of npm run test:faults)', () => {
  test('runs whose instance is killed in mid-answer come to a whole end at another one', async () => {
    const { outcomes, faults } = await killedInstance({ runs: 10, tokens: 150, leaseMs: 1_000 });
    expect([...faults, ...outcomes.flatMap((outcome) => outcome.wrongs)]).toEqual([]);
    expect(outcomes.map(({ status }) => status)).toEqual(outcomes.map(() => 'SUCCEEDED'));
    // Otherwise it was not in mid-answer.
    expect(outcomes.some(({ resets }) => resets > 0)).toBe(true);
  }, 120_000);

  test('nothing is lost or doubled, and everything ends, whatever happens', async () => {
    const result = await faultRun({ seed: 20_261_125, faults: 10, concurrent: 4 });
    const told = summary(result);
    expect(
      result.outcomes.flatMap((outcome) => outcome.wrongs),
      told,
    ).toEqual([]);
    expect([result.openCalls, result.underWay, result.broken], told).toEqual([0, 0, []]);
    expect(result.outcomes.length, told).toBeGreaterThan(10);
  }, 240_000);
});

describe('the check itself', () => {
  const event = (seq: number, __typename: string, delta?: string) => ({
    ...{ __typename, seq, cursor: `${seq}` },
    ...(delta === undefined ? {} : { delta }),
  });
  const whole = [event(1, 'RunStarted'), event(2, 'TextMessageDelta', 'a'), event(3, 'RunFinished')];
  const saved = { status: 'SUCCEEDED', reply: { text: 'a' } };

  test('finds nothing wrong with a whole stream, nor with one that began again', () => {
    expect(wrongs(whole, saved, false)).toEqual([]);
    const again = [event(1, 'RunStarted'), event(2, 'TextMessageDelta', 'x'), event(3, 'TextMessageReset')];
    expect(wrongs([...again, event(4, 'TextMessageDelta', 'a'), event(5, 'RunFinished')], saved, false)).toEqual([]);
  });

  test.each([
    ['a lost event', whole.filter(({ seq }) => seq !== 2), saved],
    ['a doubled event', [...whole.slice(0, 2), ...whole.slice(1)], saved],
    ['a missing end', whole.slice(0, 2), saved],
    ['two ends', [...whole, event(4, 'RunFailed')], saved],
    ['another text than the saved one', whole, { status: 'SUCCEEDED', reply: { text: 'b' } }],
    ['another end than the saved one', whole, { status: 'FAILED', reply: null }],
    ['a gap without a cause', [event(5, 'StreamGap'), event(6, 'RunFinished')], saved],
    ['a run that is not there', whole, null],
  ])('finds %s', (_name, events, row) => {
    expect(wrongs(events, row, false)).not.toEqual([]);
  });
});
