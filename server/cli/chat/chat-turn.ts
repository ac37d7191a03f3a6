import { randomUUID } from 'node:crypto';
import type { Writable } from 'node:stream';
import { cancelRun } from '../client/cancel-run.ts';
import type { Connection } from '../client/connection.ts';
import { followRun } from '../client/follow-run.ts';
import { request } from '../client/request.ts';
import type { RunEvent } from '../client/run-event.ts';
import { Interrupted } from '../command-error.ts';
import { AnswerPrinter } from './answer-printer.ts';
import { chatSubscription, replyOperation } from './chat-operations.ts';

/** How long a cancelled run may take to say so. */
const cancelledWithinMs = 5_000;

export type TurnOutcome = { readonly conversationId: string | null } & (
  | { readonly status: 'finished' }
  | { readonly status: 'cancelled'; readonly reason: string }
  | { readonly status: 'failed'; readonly code: string; readonly message: string }
);

interface TurnPlace {
  readonly connection: Connection;
  readonly stdout: Writable;
  /** Cancels the run; the turn then ends as soon as the run says so. */
  readonly interrupt: AbortSignal;
}

/** Asks one question and prints the answer while it comes. The run id is chosen here, so that a dropped socket can attach again. */
export async function chatTurn(place: TurnPlace, input: Readonly<Record<string, unknown>>): Promise<TurnOutcome> {
  const { connection, interrupt } = place;
  const runId = randomUUID();
  const printer = new AnswerPrinter(place.stdout);
  const stop = new AbortController();
  const cancel = async () => {
    // A run that the gateway does not know, or a gateway that is gone, will never say that it is cancelled.
    const accepted = await cancelRun(connection, runId);
    if (accepted) setTimeout(() => stop.abort(new Interrupted()), cancelledWithinMs).unref();
    else stop.abort(new Interrupted());
  };
  const onInterrupt = () => void cancel();
  interrupt.addEventListener('abort', onInterrupt, { once: true });
  try {
    const subscription = { query: chatSubscription, variables: { input: { ...input, runId } } };
    for await (const event of followRun(connection, subscription, stop.signal)) {
      const end = print(event, printer);
      if (end === null) continue;
      return await finish(place, runId, printer, end);
    }
  } finally {
    interrupt.removeEventListener('abort', onInterrupt);
    printer.end();
  }
  throw new Error(`the events of run ${runId} ended without a last one`);
}

/** Prints what there is to print; a terminal event gives the outcome. */
function print(event: RunEvent, printer: AnswerPrinter): TurnOutcome | null {
  switch (event.__typename) {
    case 'TextMessageDelta':
      printer.delta(event.delta);
      return null;
    case 'TextMessageReset':
      printer.reset(event.reason);
      return null;
    case 'SourceCited':
      printer.cite(event.citation);
      return null;
    case 'StreamGap':
      printer.gap();
      return null;
    case 'RunFinished':
      return { status: 'finished', conversationId: event.run.conversation?.id ?? null };
    case 'RunFailed':
      return { status: 'failed', conversationId: null, ...event.error };
    case 'RunCancelled':
      return { status: 'cancelled', conversationId: null, reason: event.reason };
    case 'ProgressReported':
    case 'Other':
      return null;
  }
}

/** Fetches what the events did not tell: the text after a gap, and the conversation of a run that did not finish. */
async function finish(place: TurnPlace, runId: string, printer: AnswerPrinter, end: TurnOutcome): Promise<TurnOutcome> {
  if (printer.complete && end.status === 'finished') return end;
  const signal = AbortSignal.timeout(cancelledWithinMs);
  try {
    const { run } = await request(place.connection, replyOperation, { runId }, signal);
    if (!printer.complete && run?.reply) printer.wholeText(run.reply.text, run.reply.citations);
    return { ...end, conversationId: run?.conversation?.id ?? end.conversationId };
  } catch (error) {
    // Without the text a finished answer is not finished; a failure or a cancel is what it is without more.
    if (end.status === 'finished') throw error;
    return end;
  }
}
