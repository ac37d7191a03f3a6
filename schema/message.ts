import type { VerificationRecord } from '../core/contracts/run-event.ts';
import { orNull } from '../resolvers/found.ts';
import { encodeId } from '../resolvers/global-id.ts';
import { attachmentsOf, textOf, toolCallsOf } from '../resolvers/messages.ts';
import { builder } from './builder.ts';
import { CitationRef } from './cited-text.ts';
import { MessageRef } from './refs.ts';
import { ToolCallRef } from './tool-call.ts';
import { UsageRef } from './usage.ts';

export const MessageRoleRef = builder.enumType('MessageRole', {
  values: ['SYSTEM', 'USER', 'ASSISTANT', 'TOOL'] as const,
});
export const FinishReasonRef = builder.enumType('FinishReason', {
  description:
    'Why a text ended. STOP: it was finished; LENGTH: a token limit; CANCELLED and ERROR: what had come by then.',
  values: ['STOP', 'LENGTH', 'TOOL_CALLS', 'CONTENT_FILTER', 'CANCELLED', 'ERROR'] as const,
});

const AttachmentRef = builder.objectRef<ReturnType<typeof attachmentsOf>[number]>('Attachment');
AttachmentRef.implement({
  fields: (t) => ({
    mimeType: t.exposeString('mimeType'),
    url: t.exposeString('url', { nullable: true }),
    bytes: t.exposeInt('bytes', { nullable: true, description: 'Size of what was sent as base64.' }),
  }),
});

export const VerificationRef = builder.objectRef<VerificationRecord>('Verification');
VerificationRef.implement({
  description: "A second model call's judgement of an answer against its passages.",
  fields: (t) => ({
    grounded: t.exposeBoolean('grounded', { description: 'Every statement rests on a passage.' }),
    score: t.exposeFloat('score', { description: 'The supported share of the statements, 0..1.' }),
    unsupported: t.field({ type: ['String'], resolve: (verification) => [...verification.unsupported] }),
    model: t.exposeString('model'),
  }),
});

builder.node(MessageRef, {
  description: 'What was said, by one side.',
  id: { resolve: (message) => message.id },
  loadOne: (id, { loaders }) => orNull(loaders.message.load(id)),
  fields: (t) => ({
    role: t.field({ type: MessageRoleRef, resolve: (message) => message.role }),
    parentId: t.id({
      nullable: true,
      description: 'Null for the first message of a conversation. Several messages with one parent are branches.',
      resolve: ({ parentId }) => (parentId === null ? null : encodeId('Message', parentId)),
    }),
    text: t.string({ resolve: textOf }),
    object: t.field({
      type: 'JSON',
      nullable: true,
      description: 'The reply parsed, where responseSchema was given.',
      resolve: (message) => message.object,
    }),
    attachments: t.field({ type: [AttachmentRef], resolve: attachmentsOf }),
    citations: t.field({ type: [CitationRef], resolve: (message) => [...message.citations] }),
    toolCalls: t.field({
      type: [ToolCallRef],
      description: 'What the reply asked for, in that order. One without a result is for the app to carry out.',
      resolve: toolCallsOf,
    }),
    verification: t.field({
      type: VerificationRef,
      nullable: true,
      description:
        'Filled when the turn asked for verify: a second model call that judges the answer against its passages.',
      resolve: (message) => message.verification,
    }),
    finishReason: t.field({ type: FinishReasonRef, nullable: true, resolve: (message) => message.finishReason }),
    model: t.exposeString('model', { nullable: true }),
    usage: t.field({ type: UsageRef, nullable: true, resolve: (message) => message.usage }),
    createdAt: t.field({ type: 'DateTime', resolve: (message) => message.createdAt }),
  }),
});
