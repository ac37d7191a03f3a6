import { runScopes } from '../core/access/scopes.ts';
import type { RunRecord } from '../core/contracts/run-store.ts';
import { resolveApproval, submitToolResult } from '../resolvers/tool-calls.ts';
import { builder } from './builder.ts';
import { RunRef } from './refs.ts';

const ResolveApprovalInput = builder.inputType('ResolveApprovalInput', {
  fields: (t) => ({
    runId: t.field({ type: 'UUID', required: true }),
    toolCallId: t.id({ required: true, description: 'As ApprovalRequested and pendingApprovals have it.' }),
    approve: t.boolean({ required: true }),
    arguments: t.field({
      type: 'JSON',
      required: false,
      description: "Called with these instead of the model's; they must satisfy the tool's parameters.",
    }),
    reason: t.string({ description: 'Of a rejection: the model is told.' }),
  }),
});

const SubmitToolResultInput = builder.inputType('SubmitToolResultInput', {
  description: 'Exactly one of result and error.',
  fields: (t) => ({
    runId: t.field({ type: 'UUID', required: true }),
    toolCallId: t.id({ required: true, description: 'As ToolCallStarted has it.' }),
    result: t.field({ type: 'JSON', required: false }),
    error: t.string({ description: 'Why there is no result; the model is told.' }),
  }),
});

const ResolveApprovalPayloadRef = builder.objectRef<{ readonly run: RunRecord }>('ResolveApprovalPayload');
ResolveApprovalPayloadRef.implement({
  fields: (t) => ({ run: t.field({ type: RunRef, resolve: ({ run }) => run }) }),
});

const SubmitToolResultPayloadRef = builder.objectRef<{ readonly run: RunRecord }>('SubmitToolResultPayload');
SubmitToolResultPayloadRef.implement({
  fields: (t) => ({ run: t.field({ type: RunRef, resolve: ({ run }) => run }) }),
});

builder.mutationFields((t) => ({
  resolveApproval: t.field({
    type: ResolveApprovalPayloadRef,
    nullable: true,
    authScopes: { oneOf: runScopes },
    description:
      'Lets a tool be called, as asked or with other arguments, or not. Once: a second answer is CONFLICT. Needs the scope of the run.',
    args: { input: t.arg({ type: ResolveApprovalInput, required: true }) },
    resolve: (_root, args, ctx) => resolveApproval(args, ctx),
  }),
  submitToolResult: t.field({
    type: SubmitToolResultPayloadRef,
    nullable: true,
    authScopes: { oneOf: runScopes },
    description: "The app's answer to a client tool. Once; a second answer is CONFLICT. Needs the scope of the run.",
    args: { input: t.arg({ type: SubmitToolResultInput, required: true }) },
    resolve: (_root, args, ctx) => submitToolResult(args, ctx),
  }),
}));
