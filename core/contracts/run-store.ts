import type { MessageRecord, NewMessage } from './conversation-store.ts';
import type { RunKey } from './event-log.ts';
import type { Json } from './filter.ts';
import type { FinishReason } from './model-provider.ts';
import type { Page, Slice } from './page.ts';
import type { AgentRole, CitationRecord, RunErrorRecord, RunKind, StepStatus, ToolCallRecord } from './run-event.ts';
import type { Usage } from './usage.ts';

export type RunStatus = 'QUEUED' | 'RUNNING' | ParkedStatus | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';

/** Nothing more becomes of a run in such a status. */
export function isEnd(status: RunStatus): boolean {
  return status === 'SUCCEEDED' || status === 'FAILED' || status === 'CANCELLED';
}

/** It waits for a person, or for the app, and no instance has it meanwhile. */
export type ParkedStatus = 'AWAITING_APPROVAL' | 'AWAITING_TOOL_RESULT';

export interface IngestFailureRecord {
  readonly externalId: string;
  readonly message: string;
}

/** What only runs of one kind have. */
export type RunDetail =
  | {
      readonly kind: 'CHAT';
      /** Null when the run is not stored, or its conversation was deleted. */
      readonly conversationId: string | null;
      /** The message that is answered; null when the run is not stored. */
      readonly questionId: string | null;
      /** Chosen when the run starts; the message exists once there is something to keep. */
      readonly replyId: string;
    }
  | {
      readonly kind: 'AGENT';
      /** The name it was started by; it may not be configured any more. */
      readonly agent: string;
      readonly goal: string;
      /** Null when the goal is no turn of a conversation, or that was deleted. */
      readonly conversationId: string | null;
      readonly questionId: string | null;
      /** Chosen when the run starts: the id of the output, as a message of its log and, with a conversation, as a row. */
      readonly outputId: string;
      /** The plan as it stands, kept with the run's row; empty before there is one. */
      readonly steps: readonly AgentStepRecord[];
      /** Null before it is there. */
      readonly output: AgentOutput | null;
    }
  | {
      readonly kind: 'INGEST';
      readonly collectionId: string;
      readonly documentsTotal: number;
      readonly documentsDone: number;
      readonly documentsSkipped: number;
      readonly failures: readonly IngestFailureRecord[];
      /** By their place in the input, those that need not be done again when the run goes on elsewhere. */
      readonly finishedBatches: readonly number[];
    };

export interface AgentStepRecord {
  /** Unique within its run; what other steps depend on. */
  readonly key: string;
  readonly title: string;
  readonly role: AgentRole;
  readonly status: StepStatus;
  readonly dependsOn: readonly string[];
  /** 1 for the first; one more each time a validator sent it back. */
  readonly attempt: number;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly toolCalls: readonly ToolCallRecord[];
  /** Its finding, its verdict, what it did; of a failed step: why. `[n]` in a finding is its `citations[n - 1]`. */
  readonly output: string | null;
  readonly citations: readonly CitationRecord[];
  readonly usage: Usage;
}

export interface AgentOutput {
  readonly text: string;
  readonly citations: readonly CitationRecord[];
  readonly object: Json | null;
  readonly model: string;
  readonly finishReason: FinishReason;
  readonly usage: Usage;
}

export interface RunRecord extends RunKey {
  readonly kind: RunKind;
  readonly status: RunStatus;
  /** 1 for the first execution; a takeover raises it. Fences every write. */
  readonly attempt: number;
  /** SHA-256 of the canonical input: the same runId with another input is CONFLICT. */
  readonly inputHash: string;
  /** The API key that started it and pays; null: the gateway ran open, or by its static key. */
  readonly keyId: string | null;
  readonly stored: boolean;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly usage: Usage;
  readonly error: RunErrorRecord | null;
  readonly user: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly detail: RunDetail;
  /** The terminal event's seq; null until the run has ended, and for one that ended without its process. */
  readonly lastSeq: number | null;
}

/** What becomes of a run that nobody follows any more. */
export type UnwatchedPolicy = 'FINISH' | 'CANCEL';

export interface NewRun extends RunKey {
  readonly inputHash: string;
  readonly keyId: string | null;
  /** W3C Trace Context of its start; left out or null: it is not traced. */
  readonly traceparent?: string | null;
  readonly whenUnwatched: UnwatchedPolicy;
  /** The run's own deadline, counted from its first start; null: none. */
  readonly timeoutMs: number | null;
  /** All that executing needs: a run can be executed from its row alone. Kept until the run ends. */
  readonly input: unknown;
  readonly user: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly detail: RunDetail;
}

/** What a chat writes when it begins, in one transaction with its run. */
export interface NewTurn {
  readonly conversation:
    | { readonly type: 'new'; readonly id: string; readonly title: string | null; readonly user: string | null }
    | { readonly type: 'existing'; readonly id: string };
  /** A branch from this message; null: goes on from the newest. */
  readonly parentMessageId: string | null;
  /** True: the question has no parent, and is a branch beside the conversation's first message. */
  readonly beginsAnew?: boolean;
  /** Null: `parentMessageId`, a USER message, is answered again. Its parent is filled in by the store. */
  readonly question: Omit<NewMessage, 'parentId' | 'conversationId'> | null;
}

export interface RunPatch {
  readonly status?: RunStatus;
  readonly startedAt?: Date;
  readonly finishedAt?: Date;
  readonly usage?: Usage;
  readonly error?: RunErrorRecord;
  readonly detail?: RunDetail;
  readonly lastSeq?: number;
}

export interface RunFilter {
  readonly kinds?: readonly RunKind[];
  readonly status?: RunStatus;
  readonly user?: string;
}

/**
 * An instance is alive as long as it says so in time. One lease for all its runs: what it costs does not grow with them.
 * Expiry is judged by the store's clock alone, since those of instances differ.
 */
export interface Lease {
  readonly instance: string;
  readonly leaseMs: number;
}

export interface Heartbeat {
  /** The lease had expired, or was never there: others may have taken runs, see `stillOwned`. */
  readonly lapsed: boolean;
  /** Runs of this instance that somebody wants cancelled. Told again until they have ended. */
  readonly cancels: readonly { readonly key: RunKey; readonly reason: string }[];
  /** How many live, this one among them; where the store knows. */
  readonly instances?: number;
}

/** A run as its executing instance knows it. */
export interface OwnedRun extends RunKey {
  readonly attempt: number;
}

/** What an instance needs to execute a run that another one has left. */
export interface TakenRun {
  /** With the new attempt. */
  readonly run: RunRecord;
  readonly input: unknown;
  readonly whenUnwatched: UnwatchedPolicy;
  /** What is left of its deadline; the time in which it was parked does not count. */
  readonly timeoutMs: number | null;
  readonly cancelReason: string | null;
  /** It was parked for too long: it is to be ended. */
  readonly waitExpired: boolean;
  readonly traceparent: string | null;
}

/** Every method is bound to one tenant, or to the runs that an instance owns. */
export interface RunStore {
  /**
   * Claims the id, and the run for the instance. `created: false` returns the run that has it, whatever its
   * input: the caller compares hashes.
   * With a turn, the conversation and the question are written in the same transaction, and these are refused:
   * an unknown conversation or parent (NOT_FOUND), a parent that is not in the conversation (BAD_INPUT), no question and a
   * parent that is no USER message (BAD_INPUT), and, unless it is a branch, a conversation with a run under way
   * (CONFLICT with details.runId). `run.detail` comes back with the ids filled in.
   */
  claim(
    run: NewRun,
    turn: NewTurn | null,
    instance: string,
  ): Promise<{ readonly run: RunRecord; readonly created: boolean }>;
  /** Prolongs the instance's lease. */
  heartbeat(lease: Lease): Promise<Heartbeat>;
  /** Those of the given runs that are under way and have not been taken from their attempt. */
  stillOwned(runs: readonly OwnedRun[]): Promise<readonly OwnedRun[]>;
  /**
   * Leaves word for the owner, who hears of it with its next heartbeat; a parked run, which has none, may be taken over at once. False
   * when the run has ended or is unknown.
   */
  requestCancel(key: RunKey, reason: string): Promise<boolean>;
  /** What `claim` was given as input; null when the run has ended or is unknown. */
  input(key: RunKey): Promise<unknown>;
  byRunIds(tenant: string, runIds: readonly string[], signal?: AbortSignal): Promise<readonly RunRecord[]>;
  /** Newest first. */
  list(tenant: string, filter: RunFilter, page: Page, signal?: AbortSignal): Promise<Slice<RunRecord>>;
  /** Writes if `attempt` still owns the run and it has not ended; false otherwise. A reply is written in the same transaction. */
  update(key: RunKey, attempt: number, patch: RunPatch, reply?: NewMessage): Promise<boolean>;
}

/** Runs with `store: true`: they outlive the instance that executes them. */
export interface StoredRunStore extends RunStore {
  /**
   * Enters the instance before its first heartbeat. One that must be `alone` (its log is its own) enters only when no other
   * one is alive, and keeps others out; null once it is in, else who is in the way. `others: 'dead'`: it is known that they are.
   */
  enter(
    lease: Lease,
    options: { readonly alone: boolean; readonly others: 'unknown' | 'dead' },
  ): Promise<{ readonly instance: string; readonly alone: boolean } | null>;
  /**
   * Gives the instance at most `limit` runs, of any tenant, whose instance let its lease expire or released them
   * (`abandoned: 'all'`: all that are not its own, for the only instance of a database), each with the next attempt. A run
   * that is lost for the `maxLosses`th time comes back ended as FAILED with `error` instead. Instances that ask together get
   * different runs.
   */
  takeOver(
    instance: string,
    options: {
      readonly abandoned: 'expired' | 'all';
      readonly limit: number;
      readonly maxLosses: number;
      readonly error: RunErrorRecord;
    },
  ): Promise<{ readonly taken: readonly TakenRun[]; readonly failed: readonly RunRecord[] }>;
  /** The runs of a conversation that have not ended, the parked ones too. */
  underWay(tenant: string, conversationId: string): Promise<readonly RunRecord[]>;
  /**
   * Removes at most `limit` runs, of any tenant, that ended longer ago than this, oldest first, and instances that are long
   * dead. Null when another instance is at it.
   */
  purge(options: { readonly endedBeforeMs: number; readonly limit: number }): Promise<readonly RunKey[] | null>;
  /** Gives a run back: others may take it at once, and it does not count as a loss. False when it was no longer owned. */
  release(run: OwnedRun): Promise<boolean>;
  /** The instance is going: what it still owns may be taken at once. */
  leave(instance: string): Promise<void>;
}

/**
 * Runs with `store: false`: kept in memory or Redis, with the reply that has no database row to live in. One whose
 * instance lets its lease expire is found ended, as FAILED and retryable: nobody takes it over.
 */
export interface UnstoredRunStore extends RunStore {
  /** The reply that `update` was given; null when there was none, or the run is gone. */
  reply(key: RunKey): Promise<MessageRecord | null>;
}
