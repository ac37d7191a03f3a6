import { z } from 'zod';
import { type Agent, defaultLimits } from '../../core/agents/agent.ts';
import { leastSteps } from '../../core/agents/check-agent-input.ts';
import { usualInstructions } from '../../core/agents/shipped-agents.ts';
import type { RouteFault } from '../../core/models/routes/route-faults.ts';
import { count, text } from './fields.ts';
import type { PoolConfig } from './pool-faults.ts';
import { modelFault } from './pool-faults.ts';

const roles = ['ASSISTANT', 'PLANNER', 'RESEARCHER', 'VALIDATOR', 'EXECUTOR'] as const;
const agentName = z
  .string()
  .regex(/^[\w.-]{1,64}$/, 'expected a name of 1–64 letters, digits, dots, dashes or underscores');

const member = z.strictObject({
  role: z.enum(roles),
  name: text.optional(),
  /** Left out: what the shipped agents tell this part. */
  instructions: text.max(50_000).optional(),
  /** A route or a model; left out: the default. */
  model: text.optional(),
});

const agent = z.strictObject({
  description: text,
  topology: z.enum(['SINGLE', 'TEAM']).default('TEAM'),
  members: z.array(member).min(1),
  /** Names of tools that it may call. */
  tools: z.array(text).default([]),
  /** Where a start names none, and at most. */
  limits: z
    .strictObject({
      maxSteps: count(1, 100, defaultLimits.maxSteps),
      maxParallel: count(1, 64, defaultLimits.maxParallel),
      maxTokens: z.number().int().positive().nullable().default(null),
      maxCostUsd: z.number().positive().nullable().default(null),
      timeoutMs: count(1, 86_400_000, defaultLimits.timeoutMs),
    })
    .prefault({}),
});

/** By name; one that has the name of a shipped agent takes its place. */
export const agents = z.record(agentName, agent);

export type ConfiguredAgents = z.infer<typeof agents>;

const needed = { SINGLE: ['ASSISTANT'], TEAM: ['PLANNER', 'RESEARCHER', 'EXECUTOR'] } as const;
const possible = { SINGLE: ['ASSISTANT'], TEAM: ['PLANNER', 'RESEARCHER', 'VALIDATOR', 'EXECUTOR'] } as const;

export function configuredAgents(configured: ConfiguredAgents): Agent[] {
  return Object.entries(configured).map(([name, { members, ...rest }]) => ({
    name,
    ...rest,
    members: members.map(({ role, name: own, instructions, model }) => ({
      role,
      name: own ?? role.toLowerCase(),
      instructions: instructions ?? usualInstructions[role],
      model: model ?? null,
    })),
  }));
}

/** What is wrong between the parts of an agent, and between it and the models, each being right by itself. */
export function agentFaults(configured: ConfiguredAgents, pool: PoolConfig): RouteFault[] {
  return configuredAgents(configured).flatMap((each) => [
    ...memberFaults(each),
    ...each.members.flatMap(({ model }, index) => {
      const message = model === null ? null : modelFault(model, pool);
      return message === null ? [] : [{ path: ['agents', each.name, 'members', String(index), 'model'], message }];
    }),
  ]);
}

function memberFaults(agent: Agent): RouteFault[] {
  const { name, topology, members, limits } = agent;
  const path = ['agents', name, 'members'];
  const has = members.map(({ role }) => role);
  const missing = needed[topology].filter((role) => !has.includes(role));
  const foreign = has.filter((role) => !(possible[topology] as readonly string[]).includes(role));
  const twice = has.filter((role, index) => has.indexOf(role) < index);
  return [
    ...missing.map((role) => ({ path, message: `expected a ${role}: an agent of topology ${topology} has one` })),
    ...foreign.map((role) => ({ path, message: `expected none of role ${role} in an agent of topology ${topology}` })),
    ...twice.map((role) => ({ path, message: `expected one ${role}, got several` })),
    ...(limits.maxSteps >= leastSteps(agent)
      ? []
      : [{ path: ['agents', name, 'limits', 'maxSteps'], message: `expected at least ${leastSteps(agent)}` }]),
  ];
}
