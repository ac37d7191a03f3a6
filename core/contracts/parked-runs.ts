import type { RunKey } from './event-log.ts';
import type { Json } from './filter.ts';
import type { OwnedRun, ParkedStatus, RunPatch } from './run-store.ts';
import type { JsonSchema } from './tool.ts';

/** A tool call that goes on only when somebody has answered. */
export interface AwaitedCall {
  /** Of the model, unique within its run. */
  readonly callId: string;
  /** 1 for the first question about the call; a later one is a question anew, since what was answered stays answered. */
  readonly round: number;
  readonly awaits: ParkedStatus;
  readonly tool: string;
  readonly arguments: Json;
  /** What arguments must satisfy that are given instead. */
  readonly parameters: JsonSchema;
  /** Why it is asked about, where it is not for the call's own sake; null: it is. */
  readonly reason: string | null;
}

export type CallAnswer =
  /** Null: with the arguments that the model gave. */
  | { readonly type: 'approved'; readonly arguments: Readonly<Record<string, Json>> | null }
  | { readonly type: 'rejected'; readonly reason: string | null }
  | { readonly type: 'result'; readonly value: Json }
  | { readonly type: 'error'; readonly message: string };

export interface AwaitedCallRecord extends AwaitedCall {
  /** Null: nobody has answered. */
  readonly answer: CallAnswer | null;
}

/**
 * Stored runs that wait for a person or an app, and what they wait for. A parked run has no instance: it costs its row, and goes on
 * wherever there is room as soon as every call that it waits for is answered. The time in which it was parked does not count for
 * its deadline. Questions and answers are kept as long as their run.
 */
export interface ParkedRuns {
  /** Asks, if the attempt owns the run and it has not ended; false otherwise. A question that is there already stays as it is. */
  ask(run: OwnedRun, call: AwaitedCall): Promise<boolean>;
  /** Of a run, in the order of asking; the answered ones too. */
  calls(run: RunKey): Promise<readonly AwaitedCallRecord[]>;
  /** Those of several runs that nobody has answered, in the order of asking; none of runs that have ended. */
  unanswered(
    tenant: string,
    runIds: readonly string[],
    signal?: AbortSignal,
  ): Promise<readonly (AwaitedCallRecord & { readonly runId: string })[]>;
  /**
   * Answers once, from wherever; the second answer finds `already`. With the last one the run may be taken over at once, and it
   * does not count as a loss. A run that has ended takes no answer.
   */
  answer(
    run: RunKey,
    callId: string,
    round: number,
    answer: CallAnswer,
  ): Promise<'taken' | 'already' | 'ended' | 'unknown'>;
  /**
   * The attempt lets go of its run. `parked`: until it is answered; `claimable`: everything was answered meanwhile, or somebody wants
   * it cancelled, so it may be taken over at once; `lost`: the attempt does not own it.
   */
  park(run: OwnedRun, patch: Pick<RunPatch, 'usage' | 'detail'>): Promise<'parked' | 'claimable' | 'lost'>;
  /** Wakes at most `limit` runs, of any tenant, that have been parked for so long: whoever takes one over ends it. Returns how many. */
  expire(options: { readonly parkedForMs: number; readonly limit: number }): Promise<number>;
}
