import { runScopes } from '../core/access/scopes.ts';
import { errorCodes } from '../core/contracts/gateway-error.ts';
import type { RunErrorRecord, RunKind } from '../core/contracts/run-event.ts';
import type { IngestFailureRecord, RunRecord } from '../core/contracts/run-store.ts';
import { orNull } from '../resolvers/found.ts';
import { ingestDetail, replyOf, runCollection, runConversation } from '../resolvers/run-details.ts';
import { runErrorDetails } from '../resolvers/run-error-details.ts';
import type { RunEventView } from '../resolvers/run-event-view.ts';
import { cancelRun, eventsOf, findRun, finishedRun, listRuns } from '../resolvers/runs.ts';
import { builder } from './builder.ts';
import { connectionType } from './connection.ts';
import { ChatRunRef, CollectionRef, ConversationRef, IngestRunRef, MessageRef, RunEventRef, RunRef } from './refs.ts';
import { selects } from './selects.ts';
import { ToolCallRef } from './tool-call.ts';
import { UsageRef } from './usage.ts';

export const RunKindRef = builder.enumType('RunKind', { values: ['CHAT', 'AGENT', 'INGEST'] as const });
export const RunStatusRef = builder.enumType('RunStatus', {
  description: 'AWAITING_APPROVAL: a person must resolve; AWAITING_TOOL_RESULT: the app must answer a client tool.',
  values: [
    ...(['QUEUED', 'RUNNING', 'AWAITING_APPROVAL', 'AWAITING_TOOL_RESULT'] as const),
    ...(['SUCCEEDED', 'FAILED', 'CANCELLED'] as const),
  ],
});
export const ErrorCodeRef = builder.enumType('ErrorCode', {
  description: "What a failure is: of a run in its error, of everything else in the GraphQL error's extensions.code.",
  values: errorCodes,
});

export const RunErrorRef = builder.objectRef<RunErrorRecord>('RunError');
RunErrorRef.implement({
  description: 'Why a run failed.',
  fields: (t) => ({
    code: t.field({ type: ErrorCodeRef, resolve: (error) => error.code }),
    message: t.exposeString('message'),
    retryable: t.exposeBoolean('retryable', { description: 'The same request may succeed later, under a new runId.' }),
    retryAfterMs: t.int({ nullable: true, resolve: (error) => error.details.retryAfterMs ?? null }),
    details: t.field({
      type: 'JSON',
      nullable: true,
      description: 'What a GraphQL error of this code has in its extensions: phase, attempts, limit …',
      resolve: runErrorDetails,
    }),
  }),
});

const RunEventConnectionRef = connectionType<RunEventView>('RunEvent', RunEventRef);
const RunConnectionRef = connectionType<RunRecord>('Run', RunRef);

const runTypes: Readonly<Record<RunKind, string>> = { CHAT: 'ChatRun', AGENT: 'AgentRun', INGEST: 'IngestRun' };

RunRef.implement({
  description:
    'A piece of AI work with one event log: a mutation starts it, a subscription follows it, a query reads it.',
  interfaces: [builder.nodeInterfaceRef()],
  resolveType: ({ kind }) => runTypes[kind],
  fields: (t) => ({
    runId: t.field({ type: 'UUID', resolve: (run) => run.runId }),
    kind: t.field({ type: RunKindRef, resolve: (run) => run.kind }),
    status: t.field({ type: RunStatusRef, resolve: (run) => run.status }),
    createdAt: t.field({ type: 'DateTime', resolve: (run) => run.createdAt }),
    startedAt: t.field({ type: 'DateTime', nullable: true, resolve: (run) => run.startedAt }),
    finishedAt: t.field({ type: 'DateTime', nullable: true, resolve: (run) => run.finishedAt }),
    usage: t.field({ type: UsageRef, resolve: (run) => run.usage }),
    error: t.field({ type: RunErrorRef, nullable: true, resolve: (run) => run.error }),
    user: t.exposeString('user', { nullable: true }),
    metadata: t.field({ type: 'JSON', resolve: (run) => run.metadata }),
    pendingApprovals: t.field({
      type: [ToolCallRef],
      description: 'Calls that wait for resolveApproval.',
      resolve: async (run, _args, { loaders }) => [...(await loaders.pendingApprovals.load(run.runId))],
    }),
    events: t.field({
      type: RunEventConnectionRef,
      description: 'The log read by query: what a subscription would have sent after this cursor.',
      args: { after: t.arg.string(), first: t.arg.int({ defaultValue: 200 }) },
      resolve: (run, args, ctx, info) =>
        eventsOf(run, { ...args, first: args.first ?? 200, wantsTextSoFar: selects(info, 'textSoFar') }, ctx),
    }),
    finished: t.field({
      type: RunRef,
      description: 'Waits for the end: everything below is final. Leave it out and the operation returns at once.',
      resolve: (run, _args, ctx) => finishedRun(run, ctx),
    }),
  }),
});

builder.node(ChatRunRef, {
  interfaces: [RunRef],
  description: 'One turn of a chat.',
  id: { resolve: (run) => run.runId },
  loadOne: (id, { loaders }) => orNull(loaders.run.load(id)),
  isTypeOf: (run) => (run as RunRecord).kind === 'CHAT',
  fields: (t) => ({
    finished: t.field({
      type: ChatRunRef,
      description: 'Waits for the end: everything below is final. Leave it out and the operation returns at once.',
      resolve: (run, _args, ctx) => finishedRun(run, ctx),
    }),
    conversation: t.field({
      type: ConversationRef,
      nullable: true,
      description: 'Null when the run was not stored, or its conversation is gone.',
      resolve: (run, _args, ctx) => runConversation(run, ctx),
    }),
    reply: t.field({
      type: MessageRef,
      nullable: true,
      description:
        'Waits for the end (or @defer it). After a failure or a cancel: what had come by then, null when nothing had.',
      resolve: (run, _args, ctx) => replyOf(run, ctx),
    }),
  }),
});

const IngestFailureRef = builder.objectRef<IngestFailureRecord>('IngestFailure');
IngestFailureRef.implement({
  description: 'A document that was not taken; the others were.',
  fields: (t) => ({ externalId: t.exposeString('externalId'), message: t.exposeString('message') }),
});

builder.node(IngestRunRef, {
  interfaces: [RunRef],
  description: 'Documents on their way into a collection.',
  id: { resolve: (run) => run.runId },
  loadOne: (id, { loaders }) => orNull(loaders.run.load(id)),
  isTypeOf: (run) => (run as RunRecord).kind === 'INGEST',
  fields: (t) => ({
    finished: t.field({
      type: IngestRunRef,
      description: 'Waits for the end: everything below is final. Leave it out and the operation returns at once.',
      resolve: (run, _args, ctx) => finishedRun(run, ctx),
    }),
    collection: t.field({ type: CollectionRef, nullable: true, resolve: (run, _args, ctx) => runCollection(run, ctx) }),
    documentsTotal: t.int({ resolve: (run) => ingestDetail(run).documentsTotal }),
    documentsDone: t.int({ description: 'Written.', resolve: (run) => ingestDetail(run).documentsDone }),
    documentsSkipped: t.int({
      description: 'Unchanged since the last time.',
      resolve: (run) => ingestDetail(run).documentsSkipped,
    }),
    failures: t.field({ type: [IngestFailureRef], resolve: (run) => [...ingestDetail(run).failures] }),
  }),
});

builder.queryFields((t) => ({
  run: t.field({
    type: RunRef,
    nullable: true,
    authScopes: { oneOf: runScopes },
    description: 'A run by the id that it was started with; null when there is none.',
    args: { runId: t.arg({ type: 'UUID', required: true }) },
    resolve: (_root, args, ctx) => findRun(args, ctx),
  }),
  runs: t.field({
    type: RunConnectionRef,
    nullable: true,
    authScopes: { oneOf: runScopes },
    description: 'Stored runs, newest first.',
    args: {
      first: t.arg.int({ defaultValue: 20 }),
      after: t.arg.string(),
      kind: t.arg({ type: RunKindRef }),
      status: t.arg({ type: RunStatusRef }),
      user: t.arg.string(),
    },
    resolve: (_root, args, ctx) => listRuns({ ...args, first: args.first ?? 20 }, ctx),
  }),
}));

const CancelRunPayloadRef = builder.objectRef<{ readonly run: RunRecord }>('CancelRunPayload');
CancelRunPayloadRef.implement({
  fields: (t) => ({ run: t.field({ type: RunRef, resolve: (payload) => payload.run }) }),
});

builder.mutationField('cancelRun', (t) =>
  t.field({
    type: CancelRunPayloadRef,
    nullable: true,
    authScopes: { oneOf: runScopes },
    description: 'Stops the work and the provider call behind it. Idempotent; a finished run is returned as it is.',
    args: { runId: t.arg({ type: 'UUID', required: true }) },
    resolve: (_root, args, ctx) => cancelRun(args, ctx),
  }),
);
