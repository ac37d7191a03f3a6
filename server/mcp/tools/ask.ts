import { z } from 'zod';
import type { UnwatchedPolicy } from '../../../core/contracts/run-store.ts';
import type { FollowedEvent } from '../../../core/runs/follow-run.ts';
import { startChat } from '../../../resolvers/chat.ts';
import { encodeId } from '../../../resolvers/global-id.ts';
import { replyOf } from '../../../resolvers/run-details.ts';
import { followCall } from '../follow-call.ts';
import type { McpTool, Progress } from '../mcp-tool.ts';
import { typedTool } from '../typed-tool.ts';
import { citations, citationsOf, citedText, collection, runId, usage, usageOf } from './fields.ts';

const input = z.strictObject({
  question: z.string().min(1),
  in: collection,
  conversationId: z.string().optional().describe('Goes on with this conversation; left out: a new one.'),
  model: z.string().optional().describe('A model or a route of the gateway; left out: its default.'),
  first: z.int().min(1).max(50).default(6).describe('How many passages it reads.'),
});

const output = z.object({
  answer: z.string().describe('[n] is citations[n-1].'),
  citations,
  model: z.string().nullable(),
  finishReason: z.string().nullable(),
  conversationId: z.string().nullable().describe('To go on with.'),
  runId,
  usage,
});

export function askTool(whenUnwatched: UnwatchedPolicy): McpTool {
  return typedTool({
    name: 'ask',
    title: 'Ask the documents',
    description:
      'Answers a question from the documents of a collection, and cites the passages that the answer rests on. Says so when they do not answer it.',
    scopes: ['CHAT'],
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
    input,
    output,
    async run({ question, in: from, conversationId, model, first }, call) {
      const { context } = call;
      const chat = { message: question, conversationId, model, retrieval: { in: from, first }, whenUnwatched };
      const start = () => startChat({ input: { ...chat, runId: call.runId } }, context);
      const run = await followCall(call, start, chatProgress());
      const reply = await replyOf(run, context);
      const answer = reply?.parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n') ?? '';
      const cited = citationsOf(reply?.citations ?? []);
      return {
        structured: {
          ...{ answer, citations: cited, model: reply?.model ?? null, finishReason: reply?.finishReason ?? null },
          conversationId: conversationOf(run.detail),
          ...{ runId: run.runId, usage: usageOf(run.usage) },
        },
        text: citedText(answer, cited),
      };
    },
  });
}

function conversationOf(detail: { readonly kind: string; readonly conversationId?: string | null }): string | null {
  return detail.conversationId == null ? null : encodeId('Conversation', detail.conversationId);
}

/** By the place in the log; of the text, how long it has become. */
function chatProgress(): (followed: FollowedEvent) => Progress | null {
  let characters = 0;
  return ({ seq, event }) => {
    switch (event.type) {
      case 'RunStarted':
        return { done: seq, message: 'Reading the documents' };
      case 'TextMessageDelta':
        characters += event.delta.length;
        return { done: seq, message: `Writing the answer: ${characters} characters` };
      case 'SourceCited':
        return { done: seq, message: `Citing ${event.citation.title ?? event.citation.url ?? 'a passage'}` };
      case 'TextMessageReset':
        characters = 0;
        return { done: seq, message: 'Writing the answer anew' };
      default:
        return null;
    }
  };
}
