import type { Clock } from '../../core/contracts/clock.ts';
import type { MessageRecord, NewMessage } from '../../core/contracts/conversation-store.ts';
import type { RunKey } from '../../core/contracts/event-log.ts';
import { GatewayError } from '../../core/contracts/gateway-error.ts';
import {
  isEnd,
  type NewRun,
  type RunPatch,
  type RunRecord,
  type UnstoredRunStore,
} from '../../core/contracts/run-store.ts';
import { noUsage } from '../../core/models/usage/usage-meter.ts';
import { listRuns } from '../../core/runs/run-list.ts';

export interface MemoryRunStoreOptions {
  readonly clock: Clock;
  /** How long an ended run is kept. */
  readonly retentionMs: number;
  /** Above it the run that ended first is dropped; when none has ended, `claim` refuses. */
  readonly maxRuns: number;
}

interface Entry {
  run: RunRecord;
  input: unknown;
  reply: MessageRecord | null;
  cancelReason: string | null;
}

/**
 * Runs that are not stored. They have no conversation: claiming one with a turn throws. A reply is kept with its run.
 * The id of a run that was dropped can be claimed anew.
 *
 * No timer: each call first drops what is past the retention, and `maxRuns` bounds what waits for that.
 */
export function memoryRunStore({ clock, retentionMs, maxRuns }: MemoryRunStoreOptions): UnstoredRunStore {
  const tenants = new Map<string, Map<string, Entry>>();
  /** Runs that have ended, in that order. */
  const ended = new Map<RunRecord, number>();
  let size = 0;
  /** Nothing can be past its time before. */
  let nothingExpiresBefore = 0;

  function find({ tenant, runId }: RunKey): Entry | undefined {
    dropExpired();
    return tenants.get(tenant)?.get(runId);
  }

  function drop(run: RunRecord): void {
    const ofTenant = tenants.get(run.tenant);
    ended.delete(run);
    if (ofTenant?.delete(run.runId)) size -= 1;
    if (ofTenant?.size === 0) tenants.delete(run.tenant);
  }

  function dropExpired(): void {
    const now = clock.now();
    if (now < nothingExpiresBefore) return;
    nothingExpiresBefore = now + retentionMs;
    for (const [run, endedAt] of ended) {
      if (endedAt + retentionMs > now) {
        nothingExpiresBefore = endedAt + retentionMs;
        return;
      }
      drop(run);
    }
  }

  function makeRoom(): void {
    if (size < maxRuns) return;
    const [oldest] = ended.keys();
    if (oldest === undefined) {
      throw new GatewayError(
        'RATE_LIMITED',
        `${maxRuns} runs that are not stored are under way, the most this instance keeps; try again later`,
        { retryable: true, details: { limit: maxRuns } },
      );
    }
    drop(oldest);
  }

  function write(entry: Entry, patch: RunPatch): void {
    const status = patch.status ?? entry.run.status;
    const finishedAt = patch.finishedAt ?? (isEnd(status) ? new Date(clock.now()) : entry.run.finishedAt);
    const startedAt = patch.startedAt ?? (status === 'RUNNING' ? new Date(clock.now()) : null);
    const detail = patch.detail ?? entry.run.detail;
    entry.run = {
      ...entry.run,
      ...patch,
      kind: detail.kind,
      detail,
      status,
      startedAt: entry.run.startedAt ?? startedAt,
      finishedAt,
    };
    if (!isEnd(status)) return;
    entry.input = null;
    ended.set(entry.run, clock.now());
  }

  return {
    async claim(run, turn) {
      if (turn !== null) throw new Error(`run ${run.runId}: a turn is written to the database, with a stored run`);
      const existing = find(run);
      if (existing !== undefined) return { run: existing.run, created: false };
      makeRoom();
      const entry = {
        run: queued(run, new Date(clock.now())),
        input: run.input ?? null,
        reply: null,
        cancelReason: null,
      };
      const ofTenant = tenants.get(run.tenant) ?? new Map<string, Entry>();
      tenants.set(run.tenant, ofTenant.set(run.runId, entry));
      size += 1;
      return { run: entry.run, created: true };
    },

    // Instance and store are one process: neither outlives the other.
    async heartbeat() {
      const entries = [...tenants.values()].flatMap((ofTenant) => [...ofTenant.values()]);
      const cancels = entries.flatMap(({ run, cancelReason }) =>
        cancelReason === null || isEnd(run.status)
          ? []
          : [{ key: { tenant: run.tenant, runId: run.runId }, reason: cancelReason }],
      );
      return { lapsed: false, cancels };
    },

    async stillOwned(runs) {
      return runs.filter((owned) => {
        const run = find(owned)?.run;
        return run !== undefined && run.attempt === owned.attempt && !isEnd(run.status);
      });
    },

    async requestCancel(key, reason) {
      const entry = find(key);
      if (entry === undefined || isEnd(entry.run.status)) return false;
      entry.cancelReason ??= reason;
      return true;
    },

    async input(key) {
      return find(key)?.input ?? null;
    },

    async byRunIds(tenant, runIds, signal) {
      signal?.throwIfAborted();
      const [runId] = runIds;
      if (runIds.length === 1 && runId !== undefined) {
        const entry = find({ tenant, runId });
        return entry === undefined ? [] : [entry.run];
      }
      return [...new Set(runIds)].flatMap((runId) => find({ tenant, runId })?.run ?? []);
    },

    async list(tenant, filter, page, signal) {
      signal?.throwIfAborted();
      dropExpired();
      const runs = (tenants.get(tenant)?.values() ?? []).map((entry) => entry.run);
      return listRuns(runs, filter, page);
    },

    async update(key, attempt, patch, reply) {
      if (patch.status === 'QUEUED') throw new Error(`run ${key.runId}: a run never goes back to QUEUED`);
      const entry = find(key);
      if (entry === undefined || entry.run.attempt !== attempt || isEnd(entry.run.status)) return false;
      if (reply !== undefined) entry.reply = written(reply, new Date(clock.now()));
      write(entry, patch);
      return true;
    },

    async reply(key) {
      return find(key)?.reply ?? null;
    },
  };
}

function written(message: NewMessage, createdAt: Date): MessageRecord {
  return { ...message, createdAt };
}

function queued(run: NewRun, createdAt: Date): RunRecord {
  return {
    tenant: run.tenant,
    runId: run.runId,
    kind: run.detail.kind,
    status: 'QUEUED',
    attempt: 1,
    inputHash: run.inputHash,
    keyId: run.keyId,
    stored: false,
    createdAt,
    startedAt: null,
    finishedAt: null,
    usage: noUsage,
    error: null,
    user: run.user,
    metadata: run.metadata,
    detail: run.detail,
    lastSeq: null,
  };
}
