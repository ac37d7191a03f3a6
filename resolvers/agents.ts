import { randomUUID } from 'node:crypto';
import type { Context } from '../context.ts';
import { assertOneOf } from '../core/access/scopes.ts';
import type { Agent, AgentLimits, AgentMember } from '../core/agents/agent.ts';
import { defaultLimits } from '../core/agents/agent.ts';
import { type StartAgent, startAgent as startAgentInCore } from '../core/agents/start-agent.ts';
import type { RunRecord, UnwatchedPolicy } from '../core/contracts/run-store.ts';
import type { Tool } from '../core/contracts/tool.ts';
import { clientTool, jsonObject, type RetrievalArgs, retrievalOf, type ToolArgs } from './chat.ts';
import { decodeId } from './global-id.ts';

type Maybe<T> = T | null | undefined;

/** `StartAgentInput` as GraphQL hands it over. */
export interface StartAgentArgs {
  readonly runId?: Maybe<string>;
  readonly agent: string;
  readonly goal: string;
  readonly conversationId?: Maybe<string>;
  readonly retrieval?: Maybe<RetrievalArgs>;
  readonly clientTools?: Maybe<readonly ToolArgs[]>;
  readonly responseSchema?: unknown;
  readonly limits?: Maybe<{ readonly [limit in keyof AgentLimits]?: Maybe<number> }>;
  readonly whenUnwatched?: Maybe<UnwatchedPolicy>;
  readonly user?: Maybe<string>;
  readonly metadata?: unknown;
}

/** `newRunId`: one that was made up for an input that names none. */
export function startAgent(
  { input, newRunId = randomUUID() }: { readonly input: StartAgentArgs; readonly newRunId?: string },
  { services, principal }: Context,
): Promise<RunRecord> {
  const given = input.runId?.toLowerCase();
  // What was said there becomes known to the agent, and the goal is said there.
  if (input.conversationId != null) assertOneOf(principal, ['CHAT']);
  return startAgentInCore(services, principal, given ?? newRunId, startAgentRequest(input), given === undefined);
}

export function startAgentRequest(input: StartAgentArgs): StartAgent {
  const { conversationId, limits } = input;
  return {
    agent: input.agent,
    goal: input.goal,
    conversationId: conversationId == null ? null : decodeId('Conversation', conversationId, 'conversationId'),
    history: [],
    retrieval: retrievalOf(input.retrieval),
    clientTools: (input.clientTools ?? []).map(clientTool),
    responseSchema: jsonObject(input.responseSchema, 'responseSchema'),
    limits: limits == null ? null : limitsOf(limits),
    whenUnwatched: input.whenUnwatched ?? 'FINISH',
    user: input.user ?? null,
    metadata: jsonObject(input.metadata, 'metadata') ?? {},
  };
}

function limitsOf(limits: NonNullable<StartAgentArgs['limits']>): AgentLimits {
  return {
    maxSteps: limits.maxSteps ?? defaultLimits.maxSteps,
    maxParallel: limits.maxParallel ?? defaultLimits.maxParallel,
    maxTokens: limits.maxTokens ?? null,
    maxCostUsd: limits.maxCostUsd ?? null,
    timeoutMs: limits.timeoutMs ?? defaultLimits.timeoutMs,
  };
}

export function listAgents({ services }: Context): Agent[] {
  return [...services.agents.list()];
}

export function findAgent({ name }: { readonly name: string }, { services }: Context): Agent | null {
  return services.agents.byName(name);
}

/** Which model plays the part: what was configured, and the gateway's default otherwise. */
export function modelOf({ model }: AgentMember, { services }: Context): string {
  return services.models.chatModel(model).name;
}

/** Those that are there now: servers may add and remove some at any time. */
export function toolsOf({ tools }: Agent, { services }: Context): Tool[] {
  return services.toolbox.list().filter(({ name }) => tools.includes(name));
}
