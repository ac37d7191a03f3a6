import { runScopes } from '../core/access/scopes.ts';
import { agent } from '../subscriptions/agent.ts';
import { chat } from '../subscriptions/chat.ts';
import { runEvents } from '../subscriptions/run-events.ts';
import { asAgentArgs, StartAgentInput } from './agents.ts';
import { builder } from './builder.ts';
import { asArgs, StartChatInput } from './chat.ts';
import { RunEventRef } from './refs.ts';
import { selects } from './selects.ts';

builder.subscriptionFields((t) => ({
  runEvents: t.field({
    type: RunEventRef,
    authScopes: { oneOf: runScopes },
    description:
      'Follow any run, from its beginning or from after a cursor, as often and by as many as wish. Ends after the terminal event. A run that is not there yet is waited for (5 s), so a client can follow first and start second.',
    args: { runId: t.arg({ type: 'UUID', required: true }), after: t.arg.string() },
    subscribe: (_root, args, ctx, info) => runEvents({ ...args, wantsTextSoFar: selects(info, 'textSoFar') }, ctx),
    resolve: (view) => view,
  }),
  chat: t.field({
    type: RunEventRef,
    authScopes: { oneOf: ['CHAT'] },
    description:
      'Start and follow in one operation. With a runId it is safe to send again: it attaches to the run that exists.',
    args: { input: t.arg({ type: StartChatInput, required: true }), after: t.arg.string() },
    subscribe: (_root, args, ctx, info) =>
      chat({ ...asArgs(args), after: args.after, wantsTextSoFar: selects(info, 'textSoFar') }, ctx),
    resolve: (view) => view,
  }),
  agent: t.field({
    type: RunEventRef,
    authScopes: { oneOf: ['AGENT'] },
    description:
      'Start an agent and follow it in one operation: its steps as they start and finish, then its answer. With a runId it is safe to send again: it attaches to the run that exists.',
    args: { input: t.arg({ type: StartAgentInput, required: true }), after: t.arg.string() },
    subscribe: (_root, args, ctx, info) =>
      agent({ ...asAgentArgs(args), after: args.after, wantsTextSoFar: selects(info, 'textSoFar') }, ctx),
    resolve: (view) => view,
  }),
}));
