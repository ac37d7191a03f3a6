import type { RunEvent } from '../core/contracts/run-event.ts';
import { encodeRunCursor } from '../core/pagination.ts';
import { encodeId } from '../resolvers/global-id.ts';
import type { RunEventView } from '../resolvers/run-event-view.ts';
import { builder } from './builder.ts';
import { CitationRef } from './cited-text.ts';
import { FinishReasonRef, VerificationRef } from './message.ts';
import { RunEventRef, RunRef } from './refs.ts';
import { RunErrorRef, RunKindRef, RunStatusRef } from './run.ts';
import { ToolCallRef, ToolCallStatusRef } from './tool-call.ts';
import { UsageRef } from './usage.ts';

RunEventRef.implement({
  description:
    'What a run says. An interface, not a union: a client that does not know a newer event still advances its cursor. seq starts at 1 and has no gaps; cursor is what `after` takes.',
  resolveType: ({ event }) => event.type,
  fields: (t) => ({
    runId: t.field({ type: 'UUID', resolve: ({ key }) => key.runId }),
    seq: t.exposeInt('seq'),
    cursor: t.string({ resolve: ({ key, seq }) => encodeRunCursor(key, seq) }),
    at: t.field({ type: 'DateTime', resolve: ({ at }) => new Date(at) }),
  }),
});

export type EventOf<T extends RunEvent['type']> = RunEventView<Extract<RunEvent, { type: T }>>;

const messageId = ({ event }: { readonly event: { readonly messageId: string } }): string =>
  encodeId('Message', event.messageId);

builder.objectType(builder.objectRef<EventOf<'RunStarted'>>('RunStarted'), {
  interfaces: [RunEventRef],
  fields: (t) => ({ kind: t.field({ type: RunKindRef, resolve: ({ event }) => event.kind }) }),
});
builder.objectType(builder.objectRef<EventOf<'TextMessageStarted'>>('TextMessageStarted'), {
  interfaces: [RunEventRef],
  fields: (t) => ({
    messageId: t.id({ resolve: messageId }),
    step: t.string({
      nullable: true,
      description: 'The key of the step that writes it; null: the message is no part of a step.',
      resolve: ({ event }) => event.step ?? null,
    }),
  }),
});
builder.objectType(builder.objectRef<EventOf<'TextMessageDelta'>>('TextMessageDelta'), {
  description: 'delta is the text since the event before it; a message is the concatenation of its deltas.',
  interfaces: [RunEventRef],
  fields: (t) => ({
    messageId: t.id({ resolve: messageId }),
    delta: t.string({ resolve: ({ event }) => event.delta }),
    textSoFar: t.string({
      description:
        'The whole message up to here, for explorers that show only the newest event; after a StreamGap, what came since. Built only when selected.',
      resolve: (view) => view.textSoFar ?? '',
    }),
  }),
});
builder.objectType(builder.objectRef<EventOf<'TextMessageEnded'>>('TextMessageEnded'), {
  interfaces: [RunEventRef],
  fields: (t) => ({
    messageId: t.id({ resolve: messageId }),
    finishReason: t.field({ type: FinishReasonRef, resolve: ({ event }) => event.finishReason }),
  }),
});
builder.objectType(builder.objectRef<EventOf<'TextMessageReset'>>('TextMessageReset'), {
  description: 'The generation began again: drop the deltas and citations of this message.',
  interfaces: [RunEventRef],
  fields: (t) => ({
    messageId: t.id({ resolve: messageId }),
    reason: t.string({ resolve: ({ event }) => event.reason }),
  }),
});
builder.objectType(builder.objectRef<EventOf<'ReasoningDelta'>>('ReasoningDelta'), {
  description: 'What a reasoning model thinks aloud; not part of the message.',
  interfaces: [RunEventRef],
  fields: (t) => ({
    messageId: t.id({ resolve: messageId }),
    delta: t.string({ resolve: ({ event }) => event.delta }),
  }),
});
builder.objectType(builder.objectRef<EventOf<'ToolCallStarted'>>('ToolCallStarted'), {
  description: 'A model begins to ask for a tool; its arguments follow.',
  interfaces: [RunEventRef],
  fields: (t) => ({
    toolCallId: t.id({ resolve: ({ event }) => event.toolCallId }),
    tool: t.string({ resolve: ({ event }) => event.tool }),
    step: t.string({ nullable: true, resolve: ({ event }) => event.step ?? null }),
  }),
});
builder.objectType(builder.objectRef<EventOf<'ToolCallArgumentsDelta'>>('ToolCallArgumentsDelta'), {
  description: 'A piece of the arguments, as the model writes them.',
  interfaces: [RunEventRef],
  fields: (t) => ({
    toolCallId: t.id({ resolve: ({ event }) => event.toolCallId }),
    delta: t.string({ resolve: ({ event }) => event.delta }),
  }),
});
builder.objectType(builder.objectRef<EventOf<'ToolCallEnded'>>('ToolCallEnded'), {
  description: 'The arguments are whole. Of a client tool: the app calls it now, and answers with submitToolResult.',
  interfaces: [RunEventRef],
  fields: (t) => ({
    toolCallId: t.id({ resolve: ({ event }) => event.toolCallId }),
    arguments: t.field({ type: 'JSON', resolve: ({ event }) => event.arguments ?? {} }),
  }),
});
builder.objectType(builder.objectRef<EventOf<'ToolCallResult'>>('ToolCallResult'), {
  interfaces: [RunEventRef],
  fields: (t) => ({
    toolCallId: t.id({ resolve: ({ event }) => event.toolCallId }),
    toolStatus: t.field({ type: ToolCallStatusRef, resolve: ({ event }) => event.toolStatus }),
    result: t.field({ type: 'JSON', nullable: true, resolve: ({ event }) => event.result }),
  }),
});
builder.objectType(builder.objectRef<EventOf<'ApprovalRequested'>>('ApprovalRequested'), {
  description: 'A call waits for resolveApproval. With an error as its result, that says why it is asked about again.',
  interfaces: [RunEventRef],
  fields: (t) => ({ toolCall: t.field({ type: ToolCallRef, resolve: ({ event }) => event.toolCall }) }),
});
builder.objectType(builder.objectRef<EventOf<'RunParked'>>('RunParked'), {
  description:
    'Nothing more is done before resolveApproval or submitToolResult: the calls that wait are those without a result. A run that was answered meanwhile goes on at once.',
  interfaces: [RunEventRef],
  fields: (t) => ({
    runStatus: t.field({
      type: RunStatusRef,
      description: 'AWAITING_APPROVAL or AWAITING_TOOL_RESULT; the former where both are waited for.',
      resolve: ({ event }) => event.runStatus,
    }),
    usage: t.field({ type: UsageRef, description: 'Of the run so far.', resolve: ({ event }) => event.usage }),
  }),
});
builder.objectType(builder.objectRef<EventOf<'SourceCited'>>('SourceCited'), {
  description: 'The text so far has used [number] for the first time.',
  interfaces: [RunEventRef],
  fields: (t) => ({
    messageId: t.id({ resolve: messageId }),
    citation: t.field({ type: CitationRef, resolve: ({ event }) => event.citation }),
  }),
});
builder.objectType(builder.objectRef<EventOf<'VerificationFinished'>>('VerificationFinished'), {
  interfaces: [RunEventRef],
  fields: (t) => ({
    messageId: t.id({ resolve: messageId }),
    verification: t.field({ type: VerificationRef, resolve: ({ event }) => event.verification }),
  }),
});
builder.objectType(builder.objectRef<EventOf<'ProgressReported'>>('ProgressReported'), {
  description: 'Of an ingest: documents, the skipped and the failed ones too.',
  interfaces: [RunEventRef],
  fields: (t) => ({
    done: t.int({ resolve: ({ event }) => event.done }),
    total: t.int({ resolve: ({ event }) => event.total }),
  }),
});
builder.objectType(builder.objectRef<RunEventView>('StreamGap'), {
  description:
    'Not in the log: sent when `after` is older than what is kept. It stands for everything up to and including its seq; the next event is seq + 1. The finished text is on the run.',
  interfaces: [RunEventRef],
  fields: (t) => ({ resumeFrom: t.string({ resolve: ({ key, seq }) => encodeRunCursor(key, seq) }) }),
});
builder.objectType(builder.objectRef<EventOf<'RunFinished'>>('RunFinished'), {
  interfaces: [RunEventRef],
  fields: (t) => ({
    run: t.field({ type: RunRef, resolve: ({ key }, _args, { loaders }) => loaders.run.load(key.runId) }),
    usage: t.field({ type: UsageRef, resolve: ({ event }) => event.usage }),
  }),
});
builder.objectType(builder.objectRef<EventOf<'RunFailed'>>('RunFailed'), {
  interfaces: [RunEventRef],
  fields: (t) => ({
    error: t.field({ type: RunErrorRef, resolve: ({ event }) => event.error }),
    usage: t.field({ type: UsageRef, resolve: ({ event }) => event.usage }),
  }),
});
builder.objectType(builder.objectRef<EventOf<'RunCancelled'>>('RunCancelled'), {
  interfaces: [RunEventRef],
  fields: (t) => ({
    reason: t.string({ resolve: ({ event }) => event.reason }),
    usage: t.field({ type: UsageRef, resolve: ({ event }) => event.usage }),
  }),
});
