import { z } from 'zod';
import type { UnwatchedPolicy } from '../../../core/contracts/run-store.ts';
import type { FollowedEvent } from '../../../core/runs/follow-run.ts';
import { outputOf } from '../../../resolvers/agent-runs.ts';
import { startAgent } from '../../../resolvers/agents.ts';
import { followCall } from '../follow-call.ts';
import type { McpTool, Progress } from '../mcp-tool.ts';
import { typedTool } from '../typed-tool.ts';
import { citations, citationsOf, citedText, collection, runId, usage, usageOf } from './fields.ts';

const input = z.strictObject({
  goal: z.string().min(1).describe('What is to be found out: a question, a comparison, a list of things.'),
  in: collection,
  agent: z.string().default('research-team').describe('An agent of the gateway.'),
  maxSteps: z.int().min(1).max(100).optional().describe('Steps of the whole plan.'),
});

const output = z.object({
  report: z.string().describe('[n] is citations[n-1].'),
  citations,
  finishReason: z.string().nullable().describe('LENGTH: a limit stopped it, and this is what it had.'),
  runId,
  usage,
});

export function researchTool(whenUnwatched: UnwatchedPolicy): McpTool {
  return typedTool({
    name: 'research',
    title: 'Research a question',
    description:
      'A team of agents plans, looks things up side by side in the documents of a collection, checks what it found, and writes a cited report. Takes longer than ask, and answers questions that have several parts.',
    scopes: ['AGENT'],
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
    input,
    output,
    async run({ goal, in: from, agent, maxSteps }, call) {
      const limits = maxSteps === undefined ? null : { maxSteps };
      const work = { agent, goal, retrieval: { in: from }, limits, whenUnwatched };
      const start = () => startAgent({ input: { ...work, runId: call.runId } }, call.context);
      const run = await followCall(call, start, researchProgress());
      const found = await outputOf(run, call.context);
      const report = found?.text ?? '';
      const cited = citationsOf(found?.citations ?? []);
      return {
        structured: {
          ...{ report, citations: cited, finishReason: found?.finishReason ?? null },
          ...{ runId: run.runId, usage: usageOf(run.usage) },
        },
        text: citedText(report, cited),
      };
    },
  });
}

/** By the place in the log: how many steps there will be is not known before the end. */
function researchProgress(): (followed: FollowedEvent) => Progress | null {
  const titles = new Map<string | null, string>();
  return ({ seq, event }) => {
    switch (event.type) {
      case 'StepStarted':
        titles.set(event.step, event.title);
        return { done: seq, message: event.title };
      case 'StepFinished':
        return { done: seq, message: `${titles.get(event.step) ?? 'A step'}: ${event.stepStatus.toLowerCase()}` };
      case 'ToolCallStarted':
        return { done: seq, message: `Calling ${event.tool}` };
      case 'ApprovalRequested':
        return { done: seq, message: `Waiting for a person to allow ${event.toolCall.tool}` };
      case 'TextMessageStarted':
        return { done: seq, message: 'Writing the report' };
      default:
        return null;
    }
  };
}
