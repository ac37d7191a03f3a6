import type { RunRecord } from '../core/contracts/run-store.ts';
import { agentDetail, agentOf, finishReasonOf, objectOf, outputOf, stepsOf } from '../resolvers/agent-runs.ts';
import { orNull } from '../resolvers/found.ts';
import { runConversation } from '../resolvers/run-details.ts';
import { finishedRun } from '../resolvers/runs.ts';
import { AgentStepRef } from './agent-step.ts';
import { AgentRef } from './agents.ts';
import { builder } from './builder.ts';
import { CitedTextRef } from './cited-text.ts';
import { FinishReasonRef } from './message.ts';
import { AgentRunRef, ConversationRef, RunRef } from './refs.ts';

builder.node(AgentRunRef, {
  interfaces: [RunRef],
  description: 'An agent at work on a goal.',
  id: { resolve: (run) => run.runId },
  loadOne: (id, { loaders }) => orNull(loaders.run.load(id)),
  isTypeOf: (run) => (run as RunRecord).kind === 'AGENT',
  fields: (t) => ({
    finished: t.field({
      type: AgentRunRef,
      description: 'Waits for the end: everything below is final. Leave it out and the operation returns at once.',
      resolve: (run, _args, ctx) => finishedRun(run, ctx),
    }),
    agent: t.field({
      type: AgentRef,
      nullable: true,
      description: 'Null once it is no longer configured.',
      resolve: (run, _args, ctx) => agentOf(run, ctx),
    }),
    goal: t.string({ resolve: (run) => agentDetail(run).goal }),
    steps: t.field({
      type: [AgentStepRef],
      description: 'The plan as it stands: a graph, whose independent steps run at the same time.',
      resolve: stepsOf,
    }),
    output: t.field({
      type: CitedTextRef,
      nullable: true,
      description:
        'Waits for the end, like ChatRun.reply: what had come by then, null when nothing had. LENGTH in finishReason: a limit stopped it, and this is what it had.',
      resolve: (run, _args, ctx) => outputOf(run, ctx),
    }),
    object: t.field({
      type: 'JSON',
      nullable: true,
      description: 'The value that responseSchema asked for. Waits for the end.',
      resolve: (run, _args, ctx) => objectOf(run, ctx),
    }),
    finishReason: t.field({
      type: FinishReasonRef,
      nullable: true,
      description: 'Why the output ended. Waits for the end.',
      resolve: (run, _args, ctx) => finishReasonOf(run, ctx),
    }),
    conversation: t.field({
      type: ConversationRef,
      nullable: true,
      authScopes: { oneOf: ['CHAT'] },
      description: 'Null when the goal was no turn of one, or it is gone. Needs the scope CHAT.',
      resolve: (run, _args, ctx) => runConversation(run, ctx),
    }),
  }),
});
