import type { RunRecord } from '../core/contracts/run-store.ts';
import { startChat } from '../resolvers/chat.ts';
import { builder } from './builder.ts';
import { MessageRoleRef } from './message.ts';
import { MetadataFilterRef } from './metadata-filter.ts';
import { ChatRunRef } from './refs.ts';
import { answeringFields, runIdField } from './run-input.ts';
import { SearchModeRef } from './search.ts';

const ReasoningEffortRef = builder.enumType('ReasoningEffort', { values: ['NONE', 'LOW', 'MEDIUM', 'HIGH'] as const });

const AttachmentInput = builder.inputType('AttachmentInput', {
  description: 'Exactly one of url and base64. What the model cannot read is BAD_INPUT.',
  fields: (t) => ({ mimeType: t.string({ required: true }), url: t.string(), base64: t.string() }),
});

const ToolCallInput = builder.inputType('ToolCallInput', {
  fields: (t) => ({
    id: t.string({ required: true }),
    tool: t.string({ required: true }),
    arguments: t.field({ type: 'JSON', required: true }),
  }),
});

/** What the app runs itself. */
export const ToolInput = builder.inputType('ToolInput', {
  fields: (t) => ({
    name: t.string({ required: true, description: 'Letters, digits, _ and -; at most 64.' }),
    description: t.string({ required: true, description: 'For the model.' }),
    parameters: t.field({ type: 'JSON', required: true, description: 'A JSON Schema of an object.' }),
  }),
});

const MessageInput = builder.inputType('MessageInput', {
  fields: (t) => ({
    role: t.field({ type: MessageRoleRef, required: true }),
    text: t.string({ required: true }),
    attachments: t.field({ type: [AttachmentInput], required: false }),
    toolCalls: t.field({
      type: [ToolCallInput],
      required: false,
      description: 'Of an ASSISTANT message; each is answered by a TOOL message behind it.',
    }),
    toolCallId: t.string({ description: 'Of a TOOL message: the call that its text answers.' }),
  }),
});

export const RetrievalInput = builder.inputType('RetrievalInput', {
  description: 'What is looked up for the answer; an empty object means the defaults.',
  fields: (t) => ({
    in: t.string({ defaultValue: 'default', description: 'Name of the collection.' }),
    first: t.int({ defaultValue: 6 }),
    mode: t.field({ type: SearchModeRef, required: false, defaultValue: 'HYBRID' }),
    filter: t.field({ type: MetadataFilterRef, required: false }),
    rerank: t.boolean({ defaultValue: false }),
    perDocument: t.int({ defaultValue: 3 }),
  }),
});

export const StartChatInput = builder.inputType('StartChatInput', {
  fields: (t) => ({
    ...runIdField(t),
    conversationId: t.id({
      description:
        'Left out: a new conversation. One turn of a conversation runs at a time: a second start while one runs is CONFLICT and names the run, unless parentMessageId makes it a branch.',
    }),
    parentMessageId: t.id({
      description:
        'Goes on from this message instead of the newest: editing and regenerating make branches. The id of the conversation stands for the place before its first message.',
    }),
    message: t.string({
      description: 'Left out only with a parentMessageId of a USER message: that one is answered again.',
    }),
    attachments: t.field({ type: [AttachmentInput], required: false }),
    history: t.field({
      type: [MessageInput],
      required: false,
      description:
        'For apps that keep the conversation themselves: what was said before. Not together with conversationId.',
    }),
    store: t.boolean({
      defaultValue: true,
      description:
        'false: nothing of this run is written to the database. Following, resuming and cancelling work for as long as its log is kept; it fails as retryable when its instance dies. Usage is still counted.',
    }),
    system: t.string(),
    model: t.string({ description: "Left out: the gateway's default." }),
    temperature: t.float({ description: '0–2.' }),
    topP: t.float({ description: '0–1.' }),
    stop: t.stringList(),
    seed: t.int(),
    reasoningEffort: t.field({ type: ReasoningEffortRef, required: false }),
    maxOutputTokens: t.int(),
    providerOptions: t.field({ type: 'JSON', required: false, description: 'Handed to the provider as they are.' }),
    responseSchema: t.field({
      type: 'JSON',
      required: false,
      description:
        'A JSON Schema (2020-12) the reply must satisfy; Message.object holds the value. Such a reply has no citations.',
    }),
    retrieval: t.field({
      type: RetrievalInput,
      required: false,
      description: 'Left out: no retrieval. An empty object: the defaults.',
    }),
    tools: t.stringList({
      description: "Names of the gateway's tools that the model may call; the run calls nothing else.",
    }),
    clientTools: t.field({
      type: [ToolInput],
      required: false,
      description:
        'Tools that the app runs itself: the run waits for submitToolResult. With store: false it ends with TOOL_CALLS instead, and the app goes on with history.',
    }),
    toolChoice: t.string({ description: "auto, none, required, or a tool's name." }),
    verify: t.boolean({
      defaultValue: false,
      description: 'Let a second model call judge the answer against its passages. Needs retrieval.',
    }),
    timeoutMs: t.int(),
    ...answeringFields(t),
  }),
});

const StartChatPayloadRef = builder.objectRef<{ readonly run: RunRecord }>('StartChatPayload');
StartChatPayloadRef.implement({
  fields: (t) => ({ run: t.field({ type: ChatRunRef, resolve: (payload) => payload.run }) }),
});

builder.mutationField('startChat', (t) =>
  t.field({
    type: StartChatPayloadRef,
    nullable: true,
    authScopes: { oneOf: ['CHAT'] },
    description: 'Starts a turn and returns at once; follow it with runEvents, or wait for run.reply.',
    args: { input: t.arg({ type: StartChatInput, required: true }) },
    resolve: async (_root, args, ctx) => ({ run: await startChat(asArgs(args), ctx) }),
  }),
);

/** GraphQL ids may be numbers; ours never are. */
export function asArgs({ input }: { readonly input: typeof StartChatInput.$inferInput }) {
  const { conversationId, parentMessageId, ...rest } = input;
  return {
    input: {
      ...rest,
      conversationId: conversationId == null ? null : String(conversationId),
      parentMessageId: parentMessageId == null ? null : String(parentMessageId),
    },
  };
}
