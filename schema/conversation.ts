import type { ConversationRecord, MessageRecord } from '../core/contracts/conversation-store.ts';
import { deleteConversation, listConversations, messagesOf, updateConversation } from '../resolvers/conversations.ts';
import { orNull } from '../resolvers/found.ts';
import { builder } from './builder.ts';
import { DeletePayloadRef } from './collection.ts';
import { connectionType } from './connection.ts';
import { ConversationRef, MessageRef } from './refs.ts';

const MessageConnectionRef = connectionType<MessageRecord>('Message', MessageRef);
const ConversationConnectionRef = connectionType<ConversationRecord>('Conversation', ConversationRef);

builder.node(ConversationRef, {
  description: 'A tree of messages: editing and regenerating make branches.',
  id: { resolve: (conversation) => conversation.id },
  loadOne: (id, { loaders }) => orNull(loaders.conversation.load(id)),
  fields: (t) => ({
    title: t.exposeString('title', {
      nullable: true,
      description: 'The beginning of its first message, until updateConversation.',
    }),
    user: t.exposeString('user', { nullable: true, description: "The app's own name for the person it talks to." }),
    messages: t.field({
      type: MessageConnectionRef,
      description:
        'One branch, oldest first: the one that ends at `leaf`, by default the newest. Without first or last: its newest 50.',
      args: {
        first: t.arg.int(),
        after: t.arg.string(),
        last: t.arg.int(),
        before: t.arg.string(),
        leaf: t.arg.id({ description: 'The message that the branch ends at.' }),
      },
      resolve: (conversation, args, ctx) =>
        messagesOf(conversation, { ...args, leaf: args.leaf == null ? null : String(args.leaf) }, ctx),
    }),
    createdAt: t.field({ type: 'DateTime', resolve: (conversation) => conversation.createdAt }),
    updatedAt: t.field({ type: 'DateTime', resolve: (conversation) => conversation.updatedAt }),
  }),
});

builder.queryField('conversations', (t) =>
  t.field({
    type: ConversationConnectionRef,
    nullable: true,
    authScopes: { oneOf: ['CHAT'] },
    description: 'Newest first; of one end user, when the app passed `user`.',
    args: { first: t.arg.int({ defaultValue: 20 }), after: t.arg.string(), user: t.arg.string() },
    resolve: (_root, args, ctx) => listConversations({ ...args, first: args.first ?? 20 }, ctx),
  }),
);

const UpdateConversationInput = builder.inputType('UpdateConversationInput', {
  fields: (t) => ({
    id: t.id({ required: true }),
    title: t.string({ description: 'At most 200 characters; null takes it away.' }),
  }),
});
const UpdateConversationPayloadRef = builder.objectRef<{ readonly conversation: ConversationRecord }>(
  'UpdateConversationPayload',
);
UpdateConversationPayloadRef.implement({
  fields: (t) => ({ conversation: t.field({ type: ConversationRef, resolve: (payload) => payload.conversation }) }),
});

builder.mutationFields((t) => ({
  updateConversation: t.field({
    type: UpdateConversationPayloadRef,
    nullable: true,
    authScopes: { oneOf: ['CHAT'] },
    description: 'Changes the title.',
    args: { input: t.arg({ type: UpdateConversationInput, required: true }) },
    resolve: (_root, { input }, ctx) => updateConversation({ ...input, id: String(input.id) }, ctx),
  }),
  deleteConversation: t.field({
    type: DeletePayloadRef,
    nullable: true,
    authScopes: { oneOf: ['CHAT'] },
    description: 'Its messages go with it; its runs stay.',
    args: { id: t.arg.id({ required: true }) },
    resolve: (_root, { id }, ctx) => deleteConversation({ id: String(id) }, ctx),
  }),
}));
