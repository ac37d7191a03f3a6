import type { Json } from '../contracts/filter.ts';
import type { ToolDescription } from '../contracts/tool.ts';
import type { CallOptions, Models } from '../models/models.ts';
import type { RunIo } from '../runs/live-run.ts';
import type { KnownLinks } from '../text/known-links.ts';
import { describeClientTools } from '../tools/client-tools.ts';
import { CallIds } from '../tools/loop/call-ids.ts';
import { type LoopBounds, type LoopEnd, toolLoop } from '../tools/loop/tool-loop.ts';
import { WrittenCalls } from '../tools/loop/written-calls.ts';
import { SourceNumbers } from '../tools/source-numbers.ts';
import type { Toolbox } from '../tools/toolbox.ts';
import type { ChatInput } from './chat-input.ts';
import { type Generation, generate } from './generate.ts';
import { knowSources } from './links-of-run.ts';
import type { Reply, SaidInTurn } from './reply.ts';

export interface ToolServices {
  readonly models: Models;
  readonly toolbox: Toolbox;
  readonly toolBounds: LoopBounds;
}

/** What a chat may call: of the gateway's tools those that are there now, and the app's own. */
export function toolsOf(toolbox: Toolbox, { tools, clientTools }: ChatInput): readonly ToolDescription[] {
  if (tools.length === 0 && clientTools.length === 0) return [];
  const named = new Set(tools);
  return [...toolbox.list().filter(({ name }) => named.has(name)), ...describeClientTools(clientTools)];
}

/** A reply that takes several model calls, with the results of tools in between. All texts of the model are one message. */
export async function replyWithTools(
  { models, toolbox, toolBounds }: ToolServices,
  {
    tools,
    generation,
    links,
  }: { readonly tools: readonly ToolDescription[]; readonly generation: Generation; readonly links: KnownLinks },
  reply: Reply,
  io: RunIo,
  call: CallOptions,
): Promise<LoopEnd> {
  const { input, messages } = generation;
  const numbers = new SourceNumbers(generation.sources ?? []);
  const ids = new CallIds(io.begun);
  /** Turns of this attempt are in the reply already. */
  let writtenTurns = 0;
  let turns = 0;
  return await toolLoop(
    { toolbox },
    {
      ...{ key: '', step: null, tools, toolChoice: input.toolChoice ?? 'auto', messages, bounds: toolBounds, numbers },
      async generate(request, number) {
        writtenTurns = number;
        reply.begin();
        const isAlone = input.responseSchema !== null;
        if (isAlone) reply.dropText('A tool was called; the reply begins again.');
        const { draft } = reply;
        const [from, cited] = [draft.text.length, draft.citations.length];
        const calls = new WrittenCalls(io, ids, null);
        const asked = {
          ...generation,
          messages: request.messages,
          sources: numbers.all,
          cites: input.responseSchema === null && numbers.all.length > 0,
          calling: { request: { tools: request.tools, toolChoice: request.toolChoice }, calls },
          separator: '\n\n',
        };
        const text = await generate(models, asked, draft, io, call);
        const said: SaidInTurn = { text: draft.text.slice(from), citations: draft.citations.slice(cited), isAlone };
        return {
          text: text.toWellFormed(),
          toolCalls: calls.all,
          finishReason: draft.finishReason ?? 'STOP',
          model: draft.model ?? '',
          said: said as unknown as Json, // it is JSON; an interface only lacks the index signature
        };
      },
      onTurn({ said, finishReason, model }) {
        turns += 1;
        if (turns === writtenTurns) return;
        reply.restore(said as unknown as SaidInTurn); // what `generate` kept
        Object.assign(reply.draft, { finishReason, model });
      },
      onCall(record) {
        reply.called(record);
        knowSources(links, numbers.all);
      },
    },
    io,
  );
}
