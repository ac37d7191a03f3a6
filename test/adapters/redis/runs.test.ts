import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { memoryRunStore } from '../../../adapters/memory/run-store.ts';
import { openRedis } from '../../../adapters/redis/open-redis.ts';
import type { RunStore, StoredRunStore } from '../../../core/contracts/run-store.ts';
import { type FollowedEvent, followRun } from '../../../core/runs/follow-run.ts';
import type { Executor } from '../../../core/runs/live-run.ts';
import { Runs } from '../../../core/runs/runs.ts';
import { realClock } from '../../../server/real-clock.ts';
import { forgetful, neverParked, startOf, untilStopped } from '../../core/runs/rig.ts';
import { hasRedis, type RedisServer, startRedis } from '../../helpers/redis-server.ts';
import { silent } from './setup.ts';

const patience = { timeout: 20_000, interval: 20 };

/** The database of both instances, which outlives Redis. */
function database(): StoredRunStore {
  const store: RunStore = memoryRunStore({ clock: realClock, retentionMs: 3_600_000, maxRuns: 1_000 });
  return {
    ...store,
    claim: async (...args) => {
      const claimed = await store.claim(...args);
      return { ...claimed, run: { ...claimed.run, stored: true } };
    },
    byRunIds: async (...args) => (await store.byRunIds(...args)).map((run) => ({ ...run, stored: true })),
    enter: async () => null,
    takeOver: async () => ({ taken: [], failed: [] }),
    release: async () => true,
    leave: async () => {},
    underWay: async () => [],
    purge: async () => [],
  };
}

/** Writes a word whenever it is told to, and ends when it is told to or stopped. */
function dictated() {
  let say: (word: string | null) => void = () => {};
  const executor: Executor = async (io) => {
    for (;;) {
      const said = new Promise<string | null>((resolve) => {
        say = resolve;
      });
      const word = await Promise.race([said, untilStopped(io.signal)]);
      if (word === null) return {};
      io.emit({ type: 'TextMessageDelta', messageId: 'm', delta: word });
    }
  };
  return { executor, say: (word: string | null) => say(word) };
}

describe.skipIf(!hasRedis)('runs of two instances over Redis', () => {
  async function opened() {
    const server: RedisServer = await startRedis();
    onTestFinished(() => server[Symbol.asyncDispose]());
    const stored = database();
    const dictation = dictated();
    const instances: Runs[] = [];
    for (const instance of ['one', 'two']) {
      const redis = await openRedis({
        ...{ url: server.url, clock: realClock, logger: silent, instance },
        log: { retentionMs: 3_600_000, maxEventsPerRun: 10_000 },
      });
      onTestFinished(() => redis.close());
      const runs = new Runs({
        ...{
          instance,
          stored,
          clock: realClock,
          logger: silent,
          leaseMs: 10_000,
          maxAttempts: 3,
          checkpoints: forgetful,
          parked: neverParked,
          parkedTimeoutMs: 86_400_000,
        },
        ...{ log: redis.eventLog, unstored: redis.runStore, signals: redis.signals },
        membership: { alone: false, others: 'unknown' },
        executors: { CHAT: dictation.executor, INGEST: dictation.executor },
        limits: { maxRuns: 10, maxQueuedRuns: 10, unwatchedGraceMs: 5_000 },
      });
      await runs.enter();
      instances.push(runs);
    }
    const [one, two] = instances as [Runs, Runs];
    return { server, one, two, say: dictation.say };
  }

  function follow(runs: Runs, runId: string): { readonly seen: FollowedEvent[]; readonly done: Promise<void> } {
    const seen: FollowedEvent[] = [];
    const done = (async () => {
      const key = { tenant: 'tenant', runId };
      for await (const event of followRun({ runs, clock: realClock }, key, 0, AbortSignal.timeout(40_000))) {
        seen.push(event);
      }
    })();
    done.catch(() => {});
    return { seen, done };
  }

  const textOf = (events: readonly FollowedEvent[]): string =>
    events.map(({ event }) => (event.type === 'TextMessageDelta' ? event.delta : '')).join('');

  test.each([true, false])(
    'stored: %s — a run goes on while Redis is away, and its followers see all of it',
    async (stored) => {
      const { server, one, two, say } = await opened();
      const runId = crypto.randomUUID();
      await startOf(one, { runId, stored });
      const followers = [follow(one, runId), follow(two, runId)];
      await vi.waitFor(() => {
        say('before ');
        for (const { seen } of followers) expect(textOf(seen)).toContain('before ');
      }, patience);
      await server.stop();
      say('meanwhile ');
      await server.start('kept');
      await vi.waitFor(() => {
        for (const { seen } of followers) expect(textOf(seen)).toContain('meanwhile ');
      }, patience);
      say('after');
      await vi.waitFor(() => {
        for (const { seen } of followers) expect(textOf(seen)).toContain('after');
      }, patience);
      say(null);
      for (const { done, seen } of followers) {
        await done;
        expect(seen.map(({ seq }) => seq)).toEqual(seen.map((_, index) => index + 1));
        expect(seen.at(-1)?.event.type).toBe('RunFinished');
        expect(textOf(seen)).toBe(textOf(followers[0]?.seen ?? []));
      }
    },
  );

  test.each([true, false])('stored: %s — a run whose Redis is emptied ends for all that follow it', async (stored) => {
    const { server, one, two, say } = await opened();
    const runId = crypto.randomUUID();
    await startOf(one, { runId, stored });
    const followers = [follow(one, runId), follow(two, runId)];
    await vi.waitFor(() => {
      say('before ');
      for (const { seen } of followers) expect(textOf(seen)).toContain('before ');
    }, patience);
    await server.kill();
    await server.start('lost');
    say('after');
    await vi.waitFor(() => {
      for (const { seen } of followers) expect(textOf(seen)).toContain('after');
    }, patience);
    say(null);
    for (const { done, seen } of followers) {
      await done;
      expect(seen.at(-1)?.event.type).toBe('RunFinished');
    }
    const newcomer = follow(two, runId);
    await newcomer.done;
    expect(newcomer.seen.map(({ event }) => event.type)).toContain('StreamGap');
    expect(newcomer.seen.at(-1)).toEqual(followers[0]?.seen.at(-1));
  });

  test('a stored run that ended before Redis was emptied is told by the database', async () => {
    const { server, one, two, say } = await opened();
    const runId = crypto.randomUUID();
    await startOf(one, { runId });
    await vi.waitFor(() => {
      say(null);
      expect(one.liveCount).toBe(0);
    }, patience);
    const before = follow(two, runId);
    await before.done;
    await server.client.flushall();
    const after = follow(two, runId);
    await after.done;
    expect(after.seen.map(({ event }) => event.type)).toEqual(['StreamGap', 'RunFinished']);
    expect(after.seen.at(-1)?.seq).toBe(before.seen.at(-1)?.seq);
  });

  test.each([true, false])(
    'stored: %s — a run is cancelled from the instance that does not execute it',
    async (stored) => {
      const { one, two } = await opened();
      const runId = crypto.randomUUID();
      await startOf(one, { runId, stored });
      const follower = follow(two, runId);
      const run = await two.cancel({ tenant: 'tenant', runId }, AbortSignal.timeout(40_000));
      expect(run.status).toBe('CANCELLED');
      await follower.done;
      expect(follower.seen.at(-1)?.event.type).toBe('RunCancelled');
    },
  );
});
