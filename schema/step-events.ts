import { AgentRoleRef, StepStatusRef } from './agent-step.ts';
import { builder } from './builder.ts';
import { RunEventRef } from './refs.ts';
import type { EventOf } from './run-events.ts';

builder.objectType(builder.objectRef<EventOf<'StepStarted'>>('StepStarted'), {
  description: 'A step began, or began again: its check had sent it back.',
  interfaces: [RunEventRef],
  fields: (t) => ({
    step: t.string({
      nullable: true,
      description: 'Its key in the plan; null: what every run does, such as planning.',
      resolve: ({ event }) => event.step,
    }),
    title: t.string({ resolve: ({ event }) => event.title }),
    role: t.field({ type: AgentRoleRef, nullable: true, resolve: ({ event }) => event.role }),
  }),
});
builder.objectType(builder.objectRef<EventOf<'StepFinished'>>('StepFinished'), {
  description: 'A step ended; what it brought stands in AgentRun.steps.',
  interfaces: [RunEventRef],
  fields: (t) => ({
    step: t.string({ nullable: true, description: 'Its key in the plan.', resolve: ({ event }) => event.step }),
    stepStatus: t.field({ type: StepStatusRef, resolve: ({ event }) => event.stepStatus }),
  }),
});
