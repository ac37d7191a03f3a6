import type { Agent, AgentMember } from '../core/agents/agent.ts';
import type { RunRecord } from '../core/contracts/run-store.ts';
import { findAgent, listAgents, modelOf, startAgent, toolsOf } from '../resolvers/agents.ts';
import { AgentRoleRef } from './agent-step.ts';
import { builder } from './builder.ts';
import { RetrievalInput, ToolInput } from './chat.ts';
import { AgentRunRef } from './refs.ts';
import { answeringFields, runIdField } from './run-input.ts';
import { ToolRef } from './tool.ts';

const AgentTopologyRef = builder.enumType('AgentTopology', {
  description: 'SINGLE: one model in a tool loop. TEAM: planner, researchers, validator, executor over a step graph.',
  values: ['SINGLE', 'TEAM'] as const,
});

const AgentMemberRef = builder.objectRef<AgentMember>('AgentMember');
AgentMemberRef.implement({
  description: 'One part in an agent.',
  fields: (t) => ({
    name: t.exposeString('name'),
    role: t.field({ type: AgentRoleRef, resolve: (member) => member.role }),
    instructions: t.exposeString('instructions'),
    model: t.string({
      nullable: true,
      description: 'The route or model that plays it. `extractive` cannot write: its part is done by rules.',
      resolve: (member, _args, ctx) => modelOf(member, ctx),
    }),
  }),
});

export const AgentRef = builder.objectRef<Agent>('Agent');
builder.node(AgentRef, {
  description: 'What goals can be given to.',
  id: { resolve: (agent) => agent.name },
  loadOne: (name, ctx) => findAgent({ name }, ctx),
  fields: (t) => ({
    name: t.exposeString('name'),
    description: t.exposeString('description'),
    topology: t.field({ type: AgentTopologyRef, resolve: (agent) => agent.topology }),
    members: t.field({ type: [AgentMemberRef], resolve: (agent) => [...agent.members] }),
    tools: t.field({
      type: [ToolRef],
      description: 'What its models may ask for.',
      resolve: (agent, _args, ctx) => toolsOf(agent, ctx),
    }),
  }),
});

builder.queryFields((t) => ({
  agents: t.field({
    type: [AgentRef],
    authScopes: { oneOf: ['AGENT'] },
    description: 'The agents of this gateway, by name.',
    resolve: (_root, _args, ctx) => listAgents(ctx),
  }),
  agent: t.field({
    type: AgentRef,
    nullable: true,
    authScopes: { oneOf: ['AGENT'] },
    description: 'An agent by its name; null when there is none.',
    args: { name: t.arg.string({ required: true }) },
    resolve: (_root, args, ctx) => findAgent(args, ctx),
  }),
}));

const AgentLimitsInput = builder.inputType('AgentLimitsInput', {
  description:
    'What bounds a run; when one is reached, the run ends with what it has, and LENGTH as its finishReason. The configured limits of the agent hold too.',
  fields: (t) => ({
    maxSteps: t.int({
      defaultValue: 24,
      description: 'Steps of the whole plan: what is looked up, each check of it, and the answer.',
    }),
    maxParallel: t.int({ defaultValue: 8, description: 'Steps that run at the same time.' }),
    maxTokens: t.int({ description: 'Input and output together, over all model calls.' }),
    maxCostUsd: t.float({ description: 'US dollars; a model without a known price ends the run.' }),
    timeoutMs: t.int({ defaultValue: 600_000 }),
  }),
});

export const StartAgentInput = builder.inputType('StartAgentInput', {
  fields: (t) => ({
    ...runIdField(t),
    agent: t.string({ required: true, description: 'Its name, as `agents` lists it.' }),
    goal: t.string({ required: true, description: 'What is to be found out or done, in your own words.' }),
    conversationId: t.id({
      description: 'The goal is a turn of this conversation; the output becomes its next message.',
    }),
    retrieval: t.field({
      type: RetrievalInput,
      required: false,
      description: 'Where it searches. Left out: the collection `default`, where there is one.',
    }),
    clientTools: t.field({
      type: [ToolInput],
      required: false,
      description:
        'Tools that the app runs itself: the run waits for submitToolResult. The assistant may call them, and the executor of a team.',
    }),
    responseSchema: t.field({
      type: 'JSON',
      required: false,
      description: 'A JSON Schema (2020-12) for AgentRun.object, which comes beside the cited text.',
    }),
    limits: t.field({
      type: AgentLimitsInput,
      required: false,
      description: 'Left out: those that the agent is configured with.',
    }),
    ...answeringFields(t),
  }),
});

const StartAgentPayloadRef = builder.objectRef<{ readonly run: RunRecord }>('StartAgentPayload');
StartAgentPayloadRef.implement({
  fields: (t) => ({ run: t.field({ type: AgentRunRef, resolve: (payload) => payload.run }) }),
});

builder.mutationField('startAgent', (t) =>
  t.field({
    type: StartAgentPayloadRef,
    nullable: true,
    authScopes: { oneOf: ['AGENT'] },
    description: 'Gives a goal to an agent and returns at once; follow it with runEvents, or wait for run.output.',
    args: { input: t.arg({ type: StartAgentInput, required: true }) },
    resolve: async (_root, args, ctx) => ({ run: await startAgent(asAgentArgs(args), ctx) }),
  }),
);

/** GraphQL ids may be numbers; ours never are. */
export function asAgentArgs({ input }: { readonly input: typeof StartAgentInput.$inferInput }) {
  const { conversationId, ...rest } = input;
  return { input: { ...rest, conversationId: conversationId == null ? null : String(conversationId) } };
}
