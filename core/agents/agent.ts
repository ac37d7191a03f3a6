import type { AgentRole } from '../contracts/run-event.ts';

/** SINGLE: one model in a tool loop. TEAM: planner, researchers, validator and executor over a graph of steps. */
export type AgentTopology = 'SINGLE' | 'TEAM';

export interface AgentMember {
  readonly name: string;
  readonly role: AgentRole;
  /** What the model is told of its part, before what the gateway tells it of the work. */
  readonly instructions: string;
  /** A route or a model; null: the default. */
  readonly model: string | null;
}

/** What bounds a run; what it has by then is its output. */
export interface AgentLimits {
  /** Steps of the whole plan: what is looked up, each check of it, and the answer. */
  readonly maxSteps: number;
  /** Steps that run at the same time. */
  readonly maxParallel: number;
  /** Input and output together, over all model calls; null: not bounded. */
  readonly maxTokens: number | null;
  /** US dollars; null: not bounded. */
  readonly maxCostUsd: number | null;
  readonly timeoutMs: number;
}

export interface Agent {
  readonly name: string;
  readonly description: string;
  readonly topology: AgentTopology;
  /** At most one of a role. */
  readonly members: readonly AgentMember[];
  /** Names of the tools that it may call. */
  readonly tools: readonly string[];
  /** Where a start names none, and at most. */
  readonly limits: AgentLimits;
}

export const defaultLimits: AgentLimits = {
  maxSteps: 24,
  maxParallel: 8,
  maxTokens: null,
  maxCostUsd: null,
  timeoutMs: 600_000,
};

/** Null: nobody in this agent has the part. */
export function memberOf({ members }: Agent, role: AgentRole): AgentMember | null {
  return members.find((member) => member.role === role) ?? null;
}
