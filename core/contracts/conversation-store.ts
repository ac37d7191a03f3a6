import type { RunKey } from './event-log.ts';
import type { Json } from './filter.ts';
import type { Attachment, FinishReason, MessageRole } from './model-provider.ts';
import type { Page, Slice } from './page.ts';
import type { CitationRecord, ToolCallRecord, VerificationRecord } from './run-event.ts';
import type { Usage } from './usage.ts';

export interface ConversationRecord {
  readonly id: string;
  readonly title: string | null;
  readonly user: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/**
 * A message is a list of parts, in the order in which they were said; its text is that of its text parts, joined without anything
 * between. The calls of a reply stand behind the text that led to them, each with what became of it.
 */
export type MessagePart =
  | { readonly type: 'text'; readonly text: string }
  | ({ readonly type: 'attachment' } & Attachment)
  | ({ readonly type: 'tool-call' } & ToolCallRecord);

export interface MessageRecord {
  readonly id: string;
  readonly conversationId: string;
  readonly parentId: string | null;
  readonly role: MessageRole;
  readonly parts: readonly MessagePart[];
  readonly object: Json | null;
  readonly citations: readonly CitationRecord[];
  readonly verification: VerificationRecord | null;
  readonly finishReason: FinishReason | null;
  readonly model: string | null;
  readonly usage: Usage | null;
  readonly createdAt: Date;
}

export interface NewMessage extends Omit<MessageRecord, 'createdAt'> {}

/** One window of the branch that ends at `leaf` (null: the conversation's newest message), oldest first. */
export interface BranchWindow {
  readonly leaf: string | null;
  readonly direction: 'first' | 'last';
  readonly count: number;
  /** The message before (`first`) or after (`last`) the window; null: from that end of the branch. */
  readonly cursor: string | null;
}
export interface BranchSlice {
  readonly messages: readonly MessageRecord[];
  readonly hasPrevious: boolean;
  readonly hasNext: boolean;
}

/** Every method is bound to one tenant. Runs write conversations through RunStore, in one transaction with the run. */
export interface ConversationStore {
  byIds(tenant: string, ids: readonly string[], signal?: AbortSignal): Promise<readonly ConversationRecord[]>;
  /** Newest `createdAt` first. */
  list(tenant: string, user: string | null, page: Page, signal?: AbortSignal): Promise<Slice<ConversationRecord>>;
  messagesByIds(tenant: string, ids: readonly string[], signal?: AbortSignal): Promise<readonly MessageRecord[]>;
  /**
   * The same window of each conversation, in one statement; an unknown conversation is an empty slice.
   * BAD_INPUT when a given leaf or cursor is not in the branch.
   */
  branches(
    tenant: string,
    conversationIds: readonly string[],
    window: BranchWindow,
    signal?: AbortSignal,
  ): Promise<readonly BranchSlice[]>;
  /** Null when there is none. */
  rename(tenant: string, id: string, title: string | null): Promise<ConversationRecord | null>;
  /** Its messages and its runs go with it: returns the keys of those runs, null when there was no such conversation. */
  delete(tenant: string, id: string): Promise<readonly RunKey[] | null>;
}
