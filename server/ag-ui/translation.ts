import type { AwaitedCallRecord } from '../../core/contracts/parked-runs.ts';
import type { TerminalEvent } from '../../core/contracts/run-event.ts';
import type { Usage } from '../../core/contracts/usage.ts';
import { noUsage } from '../../core/models/usage/usage-meter.ts';
import type { FollowedEvent } from '../../core/runs/follow-run.ts';
import { encodeId } from '../../resolvers/global-id.ts';
import type { AgUiEvent, SnapshotMessage } from './events.ts';
import { OpenReasoning } from './open-reasoning.ts';
import { OpenSteps } from './open-steps.ts';
import { parkedOutcome } from './parked-end.ts';
import { restated } from './restated.ts';
import { runEnd, runFinished } from './run-end.ts';
import { ToldCalls } from './told-calls.ts';
import { type SavedReply, ToldTexts } from './told-texts.ts';

/** The run as the client knows it. */
export interface TranslatedRun {
  readonly threadId: string;
  readonly runId: string;
  /** The UUID that the run has in the graph. */
  readonly graphRunId: string;
  /** Null: the client is from before AG-UI 1.0, which knows no outcomes. */
  readonly protocolVersion: string | null;
  /** The parking that ended the stream which this one continues; 0: it begins. */
  readonly continuesAfter: number;
  /** The messages of the input: a snapshot restates them, for what it leaves out is removed. */
  readonly messages: readonly SnapshotMessage[];
}

type MiddleEvent = Exclude<FollowedEvent['event'], TerminalEvent>;

/**
 * Turns the events of one run into those of AG-UI, and knows what is open in the client at any moment: a stream that
 * resumes in the middle takes the earlier events silently, and then `start` opens again what was open.
 *
 * What one event becomes ends with what may not be said twice (a piece of text); before that stand only openings and
 * closings, which do no harm when a stream that broke in between says them again.
 */
export class Translation {
  readonly #run: TranslatedRun;
  readonly #texts = new ToldTexts();
  readonly #reasoning = new OpenReasoning();
  readonly #calls: ToldCalls;
  readonly #steps = new OpenSteps();
  /** At the newest parking that was taken. */
  #spentBefore: Usage | null = null;
  #lost = false;

  constructor(run: TranslatedRun) {
    this.#run = run;
    this.#calls = new ToldCalls(run.graphRunId, run.messages);
  }

  /** Events were missed, so the text can't be told piece by piece any more: `end` needs the saved reply. */
  get lost(): boolean {
    return this.#lost;
  }

  /** The beginning of every stream, which repeats what an earlier one has left open. */
  start(): AgUiEvent[] {
    const { threadId, runId, graphRunId, protocolVersion } = this.#run;
    return [
      {
        type: 'RUN_STARTED',
        threadId,
        runId,
        // A client from before versions need not understand the field.
        ...(protocolVersion === null ? {} : { protocolVersion: '1.0' }),
        metadata: { sluice: { runId: graphRunId } },
      },
      ...this.#steps.opened(),
      ...this.#texts.opened(),
      ...this.#reasoning.opened(),
      ...this.#calls.opened(),
    ];
  }

  take(event: MiddleEvent): AgUiEvent[] {
    switch (event.type) {
      case 'RunStarted': // `start` has said it, as soon as the run was accepted
      case 'TextMessageStarted': // said with the first text
        return [];
      case 'TextMessageDelta':
        if (this.#lost) return [];
        return [...this.#reasoning.close(), ...this.#texts.write(idOf(event), event.delta)];
      case 'TextMessageEnded':
        if (this.#lost) return [];
        return [...this.#reasoning.close(), ...this.#texts.end(idOf(event), event.finishReason)];
      case 'TextMessageReset':
        return this.#reset(idOf(event));
      case 'ReasoningDelta':
        return this.#lost ? [] : this.#reasoning.think(idOf(event), event.delta);
      case 'SourceCited':
        return this.#lost ? [] : this.#texts.cite(idOf(event), event.citation);
      case 'VerificationFinished': {
        const { verification } = event;
        return [
          { type: 'CUSTOM', name: 'sluice.verification_finished', value: { messageId: idOf(event), verification } },
        ];
      }
      case 'ProgressReported': {
        const { done, total } = event;
        return [{ type: 'CUSTOM', name: 'sluice.progress_reported', value: { done, total } }];
      }
      case 'StepStarted':
        return this.#steps.start(event);
      case 'StepFinished':
        return this.#steps.finish(event);
      case 'ToolCallStarted':
      case 'ToolCallArgumentsDelta':
      case 'ToolCallEnded':
      case 'ToolCallResult':
        return [...this.#reasoning.close(), ...this.#calls.take(event)];
      case 'RunParked':
        this.#spentBefore = event.usage;
        return [];
      case 'ApprovalRequested': // said when nothing else is left to do: it ends the stream
        return [];
      case 'StreamGap':
        this.#lost = true;
        return [];
    }
  }

  /** The end of the stream. `reply` is what was saved, and is needed only when something was lost. */
  end(event: TerminalEvent, reply: SavedReply | null): AgUiEvent[] {
    // Makes the client's messages right although events were missed.
    const restored = this.#lost ? [...this.#texts.restore(reply), this.#snapshot()] : [];
    const unanswered = this.#lost ? [] : this.#calls.unanswered;
    return [...restored, ...this.#closeAll(), ...runEnd(event, this.#run, this.#spentBefore, unanswered)];
  }

  /** The end of a stream whose run waits, and goes on in another stream. `usage`: null where nothing was spent in this one. */
  park(usage: Usage | null, waiting: readonly AwaitedCallRecord[]): AgUiEvent[] {
    const before = this.#spentBefore;
    const spent = usage ?? before ?? noUsage;
    return [
      ...waiting.flatMap((call) => this.#calls.tell(call)),
      ...this.#closeAll(),
      runFinished(this.#run, spent, before, parkedOutcome(this.#run.graphRunId, waiting)),
    ];
  }

  #closeAll(): AgUiEvent[] {
    return [...this.#reasoning.close(), ...this.#calls.close(), ...this.#texts.close(), ...this.#steps.ends()];
  }

  /** The protocol can take text back only by a snapshot. */
  #reset(messageId: string): AgUiEvent[] {
    if (!this.#texts.empty(messageId)) return this.#reasoning.close();
    return this.#lost ? [] : [...this.#reasoning.close(), this.#snapshot()];
  }

  #snapshot(): AgUiEvent {
    const told = [...this.#calls.messages(), ...this.#texts.messages()];
    return { type: 'MESSAGES_SNAPSHOT', messages: restated(this.#run.messages, told) };
  }
}

/** The id that the message has in the graph. */
function idOf({ messageId }: { readonly messageId: string }): string {
  return encodeId('Message', messageId);
}
