import type { MessageRecord } from '../../core/contracts/conversation-store.ts';
import type { RunKey } from '../../core/contracts/event-log.ts';
import type { NewRun, RunPatch, RunRecord, RunStatus } from '../../core/contracts/run-store.ts';
import { noUsage } from '../../core/models/usage/usage-meter.ts';

/** The fields of a run's hash that make up its record, in the order in which the scripts give them. */
export const recordFields = [
  ...(['attempt', 'status', 'createdAt', 'startedAt', 'finishedAt', 'inputHash', 'user'] as const),
  ...(['metadata', 'detail', 'usage', 'error', 'lastSeq', 'instance', 'keyId'] as const),
] as const;

export type RecordValues = readonly (string | null)[];

/** A run with the instance that executes it. */
export interface HeldRun {
  readonly run: RunRecord;
  readonly instance: string;
}

export type Fields = Record<string, string>;

/** What a claim writes. `createdAt` is the time of Redis. */
export function claimedFields(run: NewRun, instance: string): Fields {
  return {
    instance,
    attempt: '1',
    status: 'QUEUED' satisfies RunStatus,
    inputHash: run.inputHash,
    keyId: JSON.stringify(run.keyId),
    user: JSON.stringify(run.user),
    metadata: JSON.stringify(run.metadata),
    detail: JSON.stringify(run.detail),
    usage: JSON.stringify(noUsage),
    input: JSON.stringify(run.input ?? null),
  };
}

/** What a patch writes. The times of start and end are the scripts' affair. */
export function patchedFields({ status, usage, error, detail, lastSeq }: RunPatch, reply?: MessageRecord): Fields {
  return {
    ...(status === undefined ? {} : { status }),
    ...(usage === undefined ? {} : { usage: JSON.stringify(usage) }),
    ...(error === undefined ? {} : { error: JSON.stringify(error) }),
    ...(detail === undefined ? {} : { detail: JSON.stringify(detail) }),
    ...(lastSeq === undefined ? {} : { lastSeq: String(lastSeq) }),
    ...(reply === undefined ? {} : { reply: JSON.stringify(reply) }),
  };
}

export function pairs(fields: Fields): string[] {
  return Object.entries(fields).flat();
}

/** Null when there is no such run. */
export function readRun({ tenant, runId }: RunKey, values: RecordValues): HeldRun | null {
  const field = (name: (typeof recordFields)[number]) => values[recordFields.indexOf(name)] ?? null;
  const attempt = field('attempt');
  if (attempt === null) return null;
  // All of it was written by the functions above.
  const json = <T>(name: (typeof recordFields)[number]): T => JSON.parse(field(name) ?? 'null') as T;
  const time = (name: 'startedAt' | 'finishedAt') => (field(name) === null ? null : new Date(Number(field(name))));
  const detail = json<RunRecord['detail']>('detail');
  const lastSeq = field('lastSeq');
  const run: RunRecord = {
    ...{ tenant, runId, detail },
    kind: detail.kind,
    status: field('status') as RunStatus,
    attempt: Number(attempt),
    inputHash: field('inputHash') ?? '',
    keyId: json('keyId'),
    stored: false,
    createdAt: new Date(Number(field('createdAt'))),
    startedAt: time('startedAt'),
    finishedAt: time('finishedAt'),
    usage: json('usage'),
    error: json('error'),
    user: json('user'),
    metadata: json('metadata'),
    lastSeq: lastSeq === null ? null : Number(lastSeq),
  };
  return { run, instance: field('instance') ?? '' };
}

export function readReply(text: string | null): MessageRecord | null {
  if (text === null) return null;
  const reply = JSON.parse(text) as MessageRecord & { readonly createdAt: string };
  return { ...reply, createdAt: new Date(reply.createdAt) };
}

export function isUnderWay(status: string | null | undefined): boolean {
  return status === 'QUEUED' || status === 'RUNNING';
}
