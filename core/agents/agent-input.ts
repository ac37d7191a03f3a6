import type { RetrievalRequest } from '../chat/chat-input.ts';
import type { ToolDefinition } from '../contracts/model-provider.ts';
import type { UnwatchedPolicy } from '../contracts/run-store.ts';
import type { AgentLimits } from './agent.ts';

/** What was said before the goal, for a goal that goes on from it. */
export interface Said {
  readonly role: 'USER' | 'ASSISTANT';
  readonly text: string;
}

/** `StartAgentInput` with its defaults filled in: all that a run needs, plain JSON. Null: left out. */
export interface AgentInput {
  readonly agent: string;
  readonly goal: string;
  readonly conversationId: string | null;
  /** What was said before, of an app that keeps the conversation itself; oldest first. */
  readonly history: readonly Said[];
  /** Where it searches; null: the default collection, where there is one. */
  readonly retrieval: RetrievalRequest | null;
  /** What the app runs itself; the run waits for its answers. */
  readonly clientTools: readonly ToolDefinition[];
  readonly responseSchema: Readonly<Record<string, unknown>> | null;
  readonly limits: AgentLimits;
  readonly whenUnwatched: UnwatchedPolicy;
  readonly user: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
}
