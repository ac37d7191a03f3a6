import type { Context } from '../context.ts';
import { deleteConversation as deleteEverywhere } from '../core/chat/delete-conversation.ts';
import type { BranchWindow, ConversationRecord, MessageRecord } from '../core/contracts/conversation-store.ts';
import { GatewayError } from '../core/contracts/gateway-error.ts';
import { checkFirst, decodeCursor, encodeCursor } from '../core/pagination.ts';
import { assertStorable } from '../core/text/normalise.ts';
import { type Connection, connectionOf, type PageArgs, pageInfoOf, pageOf } from './connection.ts';
import { decodeId } from './global-id.ts';

export async function listConversations(
  args: PageArgs & { readonly user?: string | null | undefined },
  { services, principal, signal }: Context,
) {
  const user = args.user ?? null;
  const scope = `conversations:${principal.tenant}:${user ?? ''}`;
  if (user !== null) assertStorable(user, 'user');
  const page = pageOf(scope, args, services.limits.maxFirst);
  return connectionOf(scope, await services.conversations.list(principal.tenant, user, page, signal), args);
}

export interface BranchArgs {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
  readonly last?: number | null | undefined;
  readonly before?: string | null | undefined;
  readonly leaf?: string | null | undefined;
}

export async function messagesOf(
  { id }: ConversationRecord,
  args: BranchArgs,
  { services, loaders }: Context,
): Promise<Connection<MessageRecord>> {
  const scope = `messages:${id}`;
  const window = windowOf(scope, args, services.limits.maxFirstMessages);
  const branch = await loaders.branch.load({ parentId: id, window });
  for (const message of branch.messages) loaders.message.prime(message.id, message);
  const edges = branch.messages.map((message) => ({ cursor: encodeCursor(scope, [message.id]), node: message }));
  return { edges, pageInfo: pageInfoOf(edges, branch) };
}

const defaultWindow = 50;

function windowOf(scope: string, args: BranchArgs, max: number): BranchWindow {
  const { first, after, last, before } = args;
  const leaf = args.leaf == null ? null : decodeId('Message', args.leaf, 'leaf');
  if (first != null && last != null) throw new GatewayError('BAD_INPUT', 'messages takes first or last, got both.');
  if ((after != null && (before != null || last != null)) || (first != null && before != null)) {
    throw new GatewayError('BAD_INPUT', 'messages takes first with after, or last with before; got them crossed.');
  }
  if (first != null || after != null) {
    return {
      leaf,
      direction: 'first',
      count: checked('first', first ?? defaultWindow, max),
      cursor: messageIn(scope, after, 'after'),
    };
  }
  return {
    leaf,
    direction: 'last',
    count: checked('last', last ?? defaultWindow, max),
    cursor: messageIn(scope, before, 'before'),
  };
}

function checked(name: string, count: number, max: number): number {
  checkFirst(count, { name, max });
  return count;
}

function messageIn(scope: string, cursor: string | null | undefined, argument: string): string | null {
  if (cursor == null) return null;
  const [id] = decodeCursor(scope, cursor, argument);
  if (typeof id === 'string') return id;
  throw new GatewayError('BAD_INPUT', `${argument} must be a cursor of this list.`);
}

export async function updateConversation(
  { id, title }: { readonly id: string; readonly title?: string | null | undefined },
  { services, principal }: Context,
): Promise<{ readonly conversation: ConversationRecord }> {
  if (title != null) {
    assertStorable(title, 'title');
    if (title.length > 200)
      throw new GatewayError('BAD_INPUT', `title must be at most 200 characters, got ${title.length}.`);
  }
  const conversationId = decodeId('Conversation', id, 'id');
  const conversation =
    title === undefined
      ? (await services.conversations.byIds(principal.tenant, [conversationId]))[0]
      : await services.conversations.rename(principal.tenant, conversationId, title);
  if (conversation == null) throw new GatewayError('NOT_FOUND', `There is no conversation ${id}.`);
  return { conversation };
}

export async function deleteConversation(
  { id }: { readonly id: string },
  { services, principal, signal }: Context,
): Promise<{ readonly deletedCount: number }> {
  const conversationId = decodeId('Conversation', id, 'id');
  if (!(await deleteEverywhere(services, principal.tenant, conversationId, signal))) {
    throw new GatewayError('NOT_FOUND', `There is no conversation ${id}.`);
  }
  return { deletedCount: 1 };
}
