import type { FinishReason } from '../../core/contracts/model-provider.ts';
import type { AwaitedCallRecord } from '../../core/contracts/parked-runs.ts';
import type { CitationRecord, TerminalEvent } from '../../core/contracts/run-event.ts';
import type { Usage } from '../../core/contracts/usage.ts';
import { noUsage } from '../../core/models/usage/usage-meter.ts';
import type { FollowedEvent } from '../../core/runs/follow-run.ts';
import { encodeId } from '../../resolvers/global-id.ts';
import type { AgUiEvent, Citation, SnapshotMessage } from './events.ts';
import { parkedOutcome } from './parked-end.ts';
import { restated } from './restated.ts';
import { runEnd, runFinished } from './run-end.ts';
import { ToldCalls } from './told-calls.ts';

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

/** A reply as it was saved. */
export interface SavedReply {
  readonly id: string;
  readonly text: string;
  readonly citations: readonly CitationRecord[];
  readonly finishReason: FinishReason | null;
}

type MiddleEvent = Exclude<FollowedEvent['event'], TerminalEvent>;

interface ToldMessage {
  text: string;
  citations: readonly Citation[];
  finishReason: FinishReason | null;
}

/**
 * Turns the events of one run into those of AG-UI, and knows what is open in the client at any moment: a stream that
 * resumes in the middle takes the earlier events silently, and then `start` opens again what was open.
 *
 * What one event becomes ends with what may not be said twice (a piece of text); before that stand only openings and
 * closings, which do no harm when a stream that broke in between says them again.
 *
 * A message is opened with its first text, so that reasoning, which comes before that, stands above it.
 */
export class Translation {
  readonly #run: TranslatedRun;
  readonly #told = new Map<string, ToldMessage>();
  readonly #calls: ToldCalls;
  #openText: string | null = null;
  #openReasoning: string | null = null;
  /** By name, with what opens each. */
  readonly #openSteps = new Map<string, AgUiEvent>();
  #reasonings = 0;
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
      ...this.#openSteps.values(),
      ...(this.#openText === null ? [] : [textStart(this.#openText)]),
      ...(this.#openReasoning === null ? [] : reasoningStart(this.#openReasoning)),
      ...this.#calls.opened(),
    ];
  }

  take(event: MiddleEvent): AgUiEvent[] {
    switch (event.type) {
      case 'RunStarted': // `start` has said it, as soon as the run was accepted
      case 'TextMessageStarted': // said with the first text
        return [];
      case 'TextMessageDelta': {
        if (this.#lost) return [];
        const { delta } = event;
        const messageId = idOf(event);
        const opening = this.#open(messageId);
        this.#messageOf(messageId).text += delta;
        return [...this.#closeReasoning(), ...opening, { type: 'TEXT_MESSAGE_CONTENT', messageId, delta }];
      }
      case 'TextMessageEnded':
        return this.#lost ? [] : this.#endText(idOf(event), event.finishReason);
      case 'TextMessageReset':
        return this.#reset(idOf(event));
      case 'ReasoningDelta': {
        if (this.#lost) return [];
        const opening = this.#openReasoning === null ? this.#beginReasoning(idOf(event)) : [];
        const messageId = this.#openReasoning ?? '';
        return [...opening, { type: 'REASONING_MESSAGE_CONTENT', messageId, delta: event.delta }];
      }
      case 'SourceCited': {
        if (this.#lost) return [];
        const messageId = idOf(event);
        const citation = citationOf(event.citation);
        const message = this.#messageOf(messageId);
        message.citations = [...message.citations, citation];
        return [{ type: 'CUSTOM', name: 'sluice.source_cited', value: { messageId, citation } }];
      }
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
        return this.#startStep(event);
      case 'StepFinished':
        return this.#finishStep(event);
      case 'ToolCallStarted':
      case 'ToolCallArgumentsDelta':
      case 'ToolCallEnded':
      case 'ToolCallResult':
        return [...this.#closeReasoning(), ...this.#calls.take(event)];
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
    const restored = this.#lost ? this.#restore(reply) : [];
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
    return [
      ...this.#closeReasoning(),
      ...this.#calls.close(),
      ...this.#closeText(),
      ...[...this.#openSteps.keys()].map(stepEnd),
    ];
  }

  #startStep({ step, title, role }: Extract<MiddleEvent, { type: 'StepStarted' }>): AgUiEvent[] {
    const stepName = step ?? planning;
    const started: AgUiEvent = { type: 'STEP_STARTED', stepName, metadata: { sluice: { title, role } } };
    const isOpen = this.#openSteps.has(stepName);
    this.#openSteps.set(stepName, started);
    return isOpen ? [] : [started];
  }

  /** One whose beginning was missed is not known to the client. */
  #finishStep({ step, stepStatus }: Extract<MiddleEvent, { type: 'StepFinished' }>): AgUiEvent[] {
    const stepName = step ?? planning;
    if (!this.#openSteps.delete(stepName)) return [];
    return [{ ...stepEnd(stepName), metadata: { sluice: { stepStatus } } }];
  }

  #messageOf(messageId: string): ToldMessage {
    const message = this.#told.get(messageId) ?? { text: '', citations: [], finishReason: null };
    this.#told.set(messageId, message);
    return message;
  }

  #open(messageId: string): AgUiEvent[] {
    if (this.#openText === messageId) return [];
    const closing = this.#closeText();
    this.#openText = messageId;
    return [...closing, textStart(messageId)];
  }

  #endText(messageId: string, finishReason: FinishReason): AgUiEvent[] {
    const isNoReply = finishReason === 'ERROR' || finishReason === 'CANCELLED' || finishReason === 'TOOL_CALLS';
    // Nothing had come, or nothing but calls: an empty message would stay in the conversation.
    if (isNoReply && !this.#told.has(messageId)) return this.#closeReasoning();
    const opening = this.#open(messageId);
    this.#messageOf(messageId).finishReason = finishReason;
    return [...this.#closeReasoning(), ...opening, ...this.#closeText()];
  }

  #closeText(): AgUiEvent[] {
    const messageId = this.#openText;
    if (messageId === null) return [];
    this.#openText = null;
    return [{ type: 'TEXT_MESSAGE_END', messageId, metadata: metadataOf(this.#messageOf(messageId)) }];
  }

  #beginReasoning(messageId: string): AgUiEvent[] {
    this.#reasonings += 1;
    this.#openReasoning = `${messageId}-reasoning-${this.#reasonings}`;
    return reasoningStart(this.#openReasoning);
  }

  #closeReasoning(): AgUiEvent[] {
    const messageId = this.#openReasoning;
    if (messageId === null) return [];
    this.#openReasoning = null;
    return [
      { type: 'REASONING_MESSAGE_END', messageId },
      { type: 'REASONING_END', messageId },
    ];
  }

  /** The protocol can take text back only by a snapshot. The message stays open, and the same: it is saved under this id. */
  #reset(messageId: string): AgUiEvent[] {
    const message = this.#told.get(messageId);
    if (message === undefined) return this.#closeReasoning();
    Object.assign(message, { text: '', citations: [] });
    return this.#lost ? [] : [...this.#closeReasoning(), this.#snapshot()];
  }

  /** Makes the client's messages right although events were missed. */
  #restore(reply: SavedReply | null): AgUiEvent[] {
    if (reply === null) {
      const closing = this.#closeText();
      this.#told.clear();
      return [...closing, this.#snapshot()];
    }
    const messageId = encodeId('Message', reply.id);
    const { text, finishReason } = reply;
    const citations = reply.citations.map(citationOf);
    const known = new Set(this.#messageOf(messageId).citations.map((citation) => JSON.stringify(citation)));
    this.#told.set(messageId, { text, citations, finishReason });
    const missed = citations.filter((citation) => !known.has(JSON.stringify(citation)));
    return [
      ...missed.map((citation) => ({
        type: 'CUSTOM' as const,
        name: 'sluice.source_cited' as const,
        value: { messageId, citation },
      })),
      this.#snapshot(),
    ];
  }

  #snapshot(): AgUiEvent {
    const told = new Map<string, SnapshotMessage>();
    for (const message of this.#calls.messages()) told.set(message.id, message);
    for (const [id, message] of this.#told) {
      told.set(id, { id, role: 'assistant', content: message.text, metadata: metadataOf(message) });
    }
    return { type: 'MESSAGES_SNAPSHOT', messages: restated(this.#run.messages, told) };
  }
}

function idOf({ messageId }: { readonly messageId: string }): string {
  return encodeId('Message', messageId);
}

function citationOf({ passageId, ...rest }: CitationRecord): Citation {
  return { ...rest, passageId: encodeId('Passage', passageId) };
}

/** Ends up on the client's message. */
function metadataOf({ citations, finishReason }: ToldMessage) {
  return { sluice: { finishReason, citations } };
}

/** What every run does, and is no step of its plan. */
const planning = 'plan';

function stepEnd(stepName: string): Extract<AgUiEvent, { type: 'STEP_FINISHED' }> {
  return { type: 'STEP_FINISHED', stepName };
}

function textStart(messageId: string): AgUiEvent {
  return { type: 'TEXT_MESSAGE_START', messageId, role: 'assistant' };
}

function reasoningStart(messageId: string): AgUiEvent[] {
  return [
    { type: 'REASONING_START', messageId },
    { type: 'REASONING_MESSAGE_START', messageId, role: 'reasoning' },
  ];
}
