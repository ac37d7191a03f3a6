import type { ChatMessage } from '../contracts/model-provider.ts';
import type { ParkedStatus } from '../contracts/run-store.ts';
import type { ToolDescription } from '../contracts/tool.ts';
import type { Usage } from '../contracts/usage.ts';
import type { CallOptions, PoolChunk } from '../models/models.ts';
import { describeClientTools } from '../tools/client-tools.ts';
import { streamTurn } from '../tools/loop/stream-turn.ts';
import { type LoopEnd, toolLoop } from '../tools/loop/tool-loop.ts';
import type { Turn, TurnRequest } from '../tools/loop/turn.ts';
import { WrittenCalls } from '../tools/loop/written-calls.ts';
import type { SourceNumbers } from '../tools/source-numbers.ts';
import type { AgentMember } from './agent.ts';
import { budgetedOutput } from './team/prompts.ts';
import type { Work } from './work.ts';

/** Thrown where a step waits for a person or the app: it is no failure, and nothing is kept of it but what its loop keeps. */
export class StepWaits extends Error {
  readonly status: ParkedStatus;
  /** What the step has cost since it was gone on with. */
  readonly usage: Usage;

  constructor(status: ParkedStatus, usage: Usage) {
    super(status);
    this.status = status;
    this.usage = usage;
  }
}

export interface ToolTask {
  readonly step: string;
  /** Begins the keys of what is kept: another one for each attempt at the step. */
  readonly key: string;
  readonly member: AgentMember;
  readonly tools: readonly ToolDescription[];
  readonly messages: readonly ChatMessage[];
  readonly numbers: SourceNumbers;
  /** Hears what a turn says while it is said; left out: nobody listens. */
  begin?(request: TurnRequest): (chunk: PoolChunk) => void;
}

const bounds = { maxTurns: 8, maxParallel: 8 };

/**
 * The tools that the agent was given and that are there now, and the app's own; `reads`: only those that are known to change
 * nothing.
 */
export function toolsOf(
  { agent, services, input }: Pick<Work, 'agent' | 'services' | 'input'>,
  reads: boolean,
): readonly ToolDescription[] {
  const there = services.toolbox.list().filter(({ name }) => agent.tools.includes(name));
  if (reads) return there.filter(({ changesWorld }) => !changesWorld);
  return [...there, ...describeClientTools(input.clientTools)];
}

/**
 * A step whose model may call tools: its calls are shown with the step. Throws `StepWaits` when some wait for an
 * answer, `LimitReached` where a limit of the run comes before the last turn.
 */
export async function workWithTools(
  work: Work,
  task: ToolTask,
  call: CallOptions,
): Promise<LoopEnd & { readonly last: Turn }> {
  const { services, io, board, budget, callIds } = work;
  const { step, member, tools, messages, numbers } = task;
  const end = await toolLoop(
    services,
    {
      ...{ step, tools, messages, numbers, bounds, toolChoice: 'auto', key: `${task.key}/` },
      isSpent: () => budget.isSpent,
      generate: async (request) => {
        budget.assertLeft();
        const calls = new WrittenCalls(io, callIds, step);
        const hear = task.begin?.(request);
        const asked = {
          model: member.model,
          sources: numbers.all,
          temperature: 0,
          ...request,
          ...budgetedOutput(work),
        };
        return { ...(await streamTurn(services.models, asked, call, calls, hear)), said: null };
      },
      onCall: (record) => board.called(step, record),
    },
    io,
  );
  if (end.parked !== null) throw new StepWaits(end.parked, call.meter.usage);
  const last = end.turns.at(-1)?.turn;
  if (last === undefined) throw new Error(`${step} ended without a turn`);
  return { ...end, last };
}
