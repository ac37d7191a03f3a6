import { dependenciesOf, findStep, type StepView, stepIdOf } from '../resolvers/agent-runs.ts';
import { builder } from './builder.ts';
import { CitationRef } from './cited-text.ts';
import { ToolCallRef } from './tool-call.ts';
import { UsageRef } from './usage.ts';

export const AgentRoleRef = builder.enumType('AgentRole', {
  description:
    'PLANNER parts the goal into steps, RESEARCHER looks things up, VALIDATOR checks what was found, EXECUTOR answers and acts; ASSISTANT is all of it in one.',
  values: ['ASSISTANT', 'PLANNER', 'RESEARCHER', 'VALIDATOR', 'EXECUTOR'] as const,
});
export const StepStatusRef = builder.enumType('StepStatus', {
  description: 'SKIPPED: never started, since what it builds on failed or a limit of the run came first.',
  values: ['PENDING', 'RUNNING', 'SUCCEEDED', 'FAILED', 'SKIPPED', 'CANCELLED'] as const,
});

const when = (time: string | null): Date | null => (time === null ? null : new Date(time));

export const AgentStepRef = builder.objectRef<StepView>('AgentStep');
builder.node(AgentStepRef, {
  description: 'A step of a plan.',
  id: { resolve: stepIdOf },
  loadOne: (id, ctx) => findStep(id, ctx),
  fields: (t) => ({
    key: t.string({ description: 'Unique in its run.', resolve: ({ step }) => step.key }),
    title: t.string({ resolve: ({ step }) => step.title }),
    role: t.field({ type: AgentRoleRef, resolve: ({ step }) => step.role }),
    status: t.field({ type: StepStatusRef, resolve: ({ step }) => step.status }),
    dependsOn: t.field({
      type: [AgentStepRef],
      description: 'It starts as soon as these have ended.',
      resolve: dependenciesOf,
    }),
    attempt: t.int({
      description: '1 for the first; one more each time its check sent it back.',
      resolve: ({ step }) => step.attempt,
    }),
    startedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Of its newest attempt.',
      resolve: ({ step }) => when(step.startedAt),
    }),
    finishedAt: t.field({ type: 'DateTime', nullable: true, resolve: ({ step }) => when(step.finishedAt) }),
    toolCalls: t.field({ type: [ToolCallRef], resolve: ({ step }) => [...step.toolCalls] }),
    output: t.string({
      nullable: true,
      description: 'What it found, judged or did; of a failed one: why. [n] in it is citations[n-1].',
      resolve: ({ step }) => step.output,
    }),
    citations: t.field({ type: [CitationRef], resolve: ({ step }) => [...step.citations] }),
    usage: t.field({ type: UsageRef, resolve: ({ step }) => step.usage }),
  }),
});
