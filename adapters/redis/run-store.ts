import { randomUUID } from 'node:crypto';
import type { Clock } from '../../core/contracts/clock.ts';
import type { RunKey } from '../../core/contracts/event-log.ts';
import type { RunPatch, RunRecord, UnstoredRunStore } from '../../core/contracts/run-store.ts';
import { CancelRequests } from './cancel-requests.ts';
import type { RedisConnections } from './connections.ts';
import { DepartedRuns } from './departed-runs.ts';
import { nameOf, RedisKeys } from './keys.ts';
import { OwnRuns } from './own-runs.ts';
import { persevere } from './persevere.ts';
import {
  claimedFields,
  isUnderWay,
  pairs,
  patchedFields,
  type RecordValues,
  readReply,
  readRun,
  recordFields,
} from './run-hash.ts';
import { RunIndex } from './run-index.ts';
import { claimScript, unclaimScript, updateScript } from './run-scripts.ts';

export interface RedisRunStoreOptions {
  readonly redis: RedisConnections;
  readonly clock: Clock;
  /** How long an ended run is kept. */
  readonly retentionMs: number;
  /** A run under way of which nothing is written for so long is forgotten. */
  readonly abandonedMs?: number;
  readonly keyPrefix?: string;
}

/** How long a call waits for Redis; whoever can wait longer calls again. */
const patienceMs = 2_000;
const never = new AbortController().signal;

/**
 * Runs that are not stored, of all instances: a hash each. Should Redis be emptied, an instance puts the runs that it executes
 * back: nobody else can have taken them.
 */
export function redisRunStore(options: RedisRunStoreOptions): UnstoredRunStore {
  const { redis, clock, retentionMs, abandonedMs = 24 * 60 * 60 * 1000, keyPrefix = 'sluice:' } = options;
  const connection = redis.commands;
  const keys = new RedisKeys(keyPrefix);
  const hashOf = (key: RunKey): string => keys.of('run', nameOf(key));
  const leaseOf = (instance: string): string => keys.of('lease', instance);
  const index = new RunIndex(connection, keys, abandonedMs + retentionMs);
  const own = new OwnRuns();
  const isHere = (instance: string): boolean => own.isInstance(instance);
  const departed = new DepartedRuns({ connection, hashOf, leaseOf, isHere, retentionMs });
  const cancels = new CancelRequests({ connection, hashOf, cancelsOf: (instance) => keys.of('cancels', instance) });
  /** A heartbeat may have taken effect without an answer: then nobody knows whether the lease had expired before. */
  let isUncertain = false;

  const patiently = <T>(what: string, command: () => Promise<T>, signal: AbortSignal = never): Promise<T> =>
    persevere(command, { connection, clock, what, patienceMs, signal });

  async function load(tenant: string, runIds: readonly string[]): Promise<RunRecord[]> {
    const wanted = [...new Set(runIds)].map((runId) => ({ tenant, runId }));
    const values = await Promise.all(wanted.map((key) => connection.client.hmget(hashOf(key), ...recordFields)));
    return await departed.end(wanted.flatMap((key, place) => readRun(key, values[place] ?? []) ?? []));
  }

  /** Whether the run is of this claim, and its record: also when the claim is sent again, or was lost with all of Redis. */
  async function claimed(key: RunKey, token: string, fields: Readonly<Record<string, string>>) {
    const answer = await connection.run(claimScript, [hashOf(key)], [token, abandonedMs, ...pairs(fields)]);
    const [isMine, values] = answer as [number, RecordValues]; // what the script returns
    const held = readRun(key, values);
    if (held === null) throw new Error(`run ${key.runId} was claimed, and is not there`);
    return { held, isMine: isMine === 1 };
  }

  /** Puts a run of this process back that Redis has lost. */
  async function restore(key: RunKey): Promise<boolean> {
    const lost = own.of(nameOf(key));
    if (lost === undefined) return false;
    const { held, isMine } = await claimed(key, lost.token, lost.fields);
    if (isMine) await index.add(held.run);
    return isMine;
  }

  /** Claims that failed without an answer, and may have taken effect: nobody would execute them. */
  async function takeBackRegrets(): Promise<void> {
    for (const regret of own.regrets()) {
      await connection.run(unclaimScript, [regret.hash], [regret.token]).catch(() => own.regret(regret));
    }
  }

  return {
    async claim(run, turn, instance) {
      if (turn !== null) throw new Error(`run ${run.runId}: a turn is written to the database, with a stored run`);
      const token = randomUUID();
      const fields = claimedFields(run, instance);
      try {
        return await patiently(`claiming run ${run.runId}`, async () => {
          const { held, isMine } = await claimed(run, token, fields);
          if (!isMine) return { run: (await departed.end([held]))[0] ?? held.run, created: false };
          await index.add(held.run);
          own.claimed(nameOf(run), { token, fields: { ...fields, createdAt: String(held.run.createdAt.getTime()) } });
          return { run: held.run, created: true };
        });
      } catch (error) {
        own.regret({ hash: hashOf(run), token });
        throw error;
      }
    },

    async heartbeat({ instance, leaseMs }) {
      departed.leaseMs = leaseMs;
      own.addInstance(instance);
      const wasUncertain = isUncertain;
      isUncertain = true;
      const before = await patiently('renewing the lease of this instance', () =>
        connection.client.set(leaseOf(instance), '1', 'PX', leaseMs, 'GET'),
      );
      const wanted = await patiently('looking what is to be cancelled', () => cancels.of(instance));
      isUncertain = false;
      await takeBackRegrets();
      return { lapsed: before === null || wasUncertain, cancels: wanted };
    },

    async stillOwned(runs) {
      return await patiently('looking whether runs are still owned', async () => {
        const isOwned = await Promise.all(
          runs.map(async (run) => {
            const [attempt, status] = await connection.client.hmget(hashOf(run), 'attempt', 'status');
            if (attempt === null || attempt === undefined) return await restore(run);
            return Number(attempt) === run.attempt && isUnderWay(status);
          }),
        );
        return runs.filter((_, place) => isOwned[place]);
      });
    },

    async requestCancel(key, reason) {
      return await patiently(`cancelling run ${key.runId}`, async () => {
        const [run] = await load(key.tenant, [key.runId]);
        return run !== undefined && isUnderWay(run.status) && (await cancels.add(key, reason));
      });
    },

    async input(key) {
      const text = await patiently(`reading run ${key.runId}`, () => connection.client.hget(hashOf(key), 'input'));
      return text === null ? null : JSON.parse(text);
    },

    async byRunIds(tenant, runIds, signal) {
      signal?.throwIfAborted();
      return await patiently('looking for runs', () => load(tenant, runIds), signal);
    },

    async list(tenant, filter, page, signal) {
      signal?.throwIfAborted();
      const command = () => index.list(tenant, filter, page, (runIds) => load(tenant, runIds));
      return await patiently('listing runs', command, signal);
    },

    async update(key, attempt, patch, reply) {
      if (patch.status === 'QUEUED') throw new Error(`run ${key.runId}: a run never goes back to QUEUED`);
      const ends = patch.status !== undefined && !isUnderWay(patch.status);
      const fields = patchedFields(patch, reply && { ...reply, createdAt: new Date(clock.now()) });
      const times = timesOf(patch, ends);
      const args = [attempt, randomUUID(), ends ? retentionMs : abandonedMs, Number(ends), ...times, ...pairs(fields)];
      const isWritten = await patiently(`writing run ${key.runId}`, async () => {
        const outcome = await connection.run(updateScript, [hashOf(key)], args);
        if (outcome !== -1 || !(await restore(key))) return outcome === 1;
        return (await connection.run(updateScript, [hashOf(key)], args)) === 1;
      });
      const started =
        patch.status === 'RUNNING' ? { startedAt: String(patch.startedAt?.getTime() ?? clock.now()) } : {};
      if (isWritten && !ends) own.written(nameOf(key), { ...fields, ...started });
      else own.forget(nameOf(key));
      return isWritten;
    },

    async reply(key) {
      const command = () => connection.client.hget(hashOf(key), 'reply');
      return readReply(await patiently(`reading run ${key.runId}`, command));
    },
  };
}

/** Of the start and of the end, as the script takes them. */
function timesOf({ status, startedAt, finishedAt }: RunPatch, ends: boolean): readonly (string | number)[] {
  return [startedAt?.getTime() ?? (status === 'RUNNING' ? 'now' : ''), finishedAt?.getTime() ?? (ends ? 'now' : '')];
}
