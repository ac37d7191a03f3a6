import { randomUUID } from 'node:crypto';
import { defaultLimits } from '../../../core/agents/agent.ts';
import { agentExecutor } from '../../../core/agents/agent-executor.ts';
import type { AgentInput } from '../../../core/agents/agent-input.ts';
import type { AgentServices } from '../../../core/agents/agent-services.ts';
import { createAgents } from '../../../core/agents/agents.ts';
import { shippedAgents } from '../../../core/agents/shipped-agents.ts';
import { endingMs } from '../../../core/agents/steps/budget.ts';
import type { NewRun, RunDetail } from '../../../core/contracts/run-store.ts';
import type { SearchIndex } from '../../../core/contracts/search-index.ts';
import type { Toolbox } from '../../../core/tools/toolbox.ts';
import type { ScriptedProvider } from '../../helpers/scripted-provider.ts';
import { poolOf } from '../models/pool.ts';
import { keyOf, rigOf } from '../runs/rig.ts';
import { aTool } from '../tools/rig.ts';

type AgentDetail = Extract<RunDetail, { kind: 'AGENT' }>;

/** The research team, with a model that is scripted, over one passage; with tools, where there are any. */
export function teamServices(
  provider: ScriptedProvider,
  toolbox: Partial<Toolbox> = { list: () => [] },
): AgentServices {
  const collection = { id: 'c', name: 'default', embeddingModel: 'embedder', dimensions: 8, createdAt: new Date() };
  const document = { id: 'd', collectionId: 'c', externalId: 'lamp', title: 'The lamp', url: null, metadata: {} };
  const times = { createdAt: new Date(), updatedAt: new Date() };
  const passage = { id: randomUUID(), documentId: 'd', position: 0, text: 'The lamp turns twice a minute.' };
  const hit = { passage, document: { ...document, ...times }, score: 1, vectorScore: 1, keywordScore: 1 };
  const tools = toolbox.list?.().map(({ name }) => name) ?? [];
  // Only what a team asks of them.
  return {
    agents: createAgents(shippedAgents.map((agent) => ({ ...agent, tools }))),
    models: poolOf(provider),
    toolbox,
    limits: { maxFirst: 100, maxQueryChars: 10_000 },
    collections: { byNames: async (tenant: string) => [{ ...collection, tenant }] },
    searchIndex: { search: (_tenant: string, queries: readonly unknown[]) => queries.map(async () => [hit]) },
  } as unknown as AgentServices;
}

/** Its goal is its id. */
export function teamRun(
  goal: string,
  {
    agent = 'research-team',
    limits = defaultLimits,
    responseSchema = null,
  }: Partial<Pick<AgentInput, 'agent' | 'limits' | 'responseSchema'>> = {},
): NewRun {
  const input = {
    ...{ agent, goal, conversationId: null, history: [], retrieval: null },
    ...{ clientTools: [], responseSchema },
    ...{ limits, whenUnwatched: 'FINISH', user: null, metadata: {} },
  } as const;
  return {
    ...{ tenant: 'tenant', runId: goal, inputHash: goal, keyId: null, input, user: null, metadata: {} },
    ...{ whenUnwatched: 'FINISH', timeoutMs: limits.timeoutMs + endingMs },
    detail: {
      ...{ kind: 'AGENT', agent, goal, conversationId: null, questionId: null },
      ...{ outputId: randomUUID(), steps: [], output: null },
    },
  };
}

interface RunOptions extends Partial<Pick<AgentInput, 'agent' | 'limits' | 'responseSchema'>> {
  /** Instead of a search that finds the one passage at once. */
  readonly search?: SearchIndex['search'];
  /** Hears of each call of the tool `look`; left out: there are no tools. */
  readonly called?: string[];
}

/** A run in one attempt, in memory, as it ended, and what it said. */
export async function finishedRun(
  goal: string,
  provider: ScriptedProvider,
  { called, search, ...options }: RunOptions = {},
): Promise<{
  readonly status: string;
  readonly detail: AgentDetail;
  readonly events: readonly { readonly type: string }[];
}> {
  const look = aTool({ name: 'look' });
  const toolbox: Partial<Toolbox> = {
    list: () => (called === undefined ? [] : [look]),
    readArguments: async () => ({ ok: true, value: {} }),
    call: async (name) => {
      called?.push(name);
      return { status: 'SUCCEEDED', value: 'seen', sources: [] };
    },
  };
  const services = teamServices(provider, toolbox);
  const { runs, log } = rigOf({
    executor: agentExecutor(
      search === undefined ? services : { ...services, searchIndex: { ...services.searchIndex, search } },
    ),
  });
  await runs.start({ run: teamRun(goal, options), stored: true, turn: null });
  const run = await runs.whenFinished(keyOf(goal), AbortSignal.timeout(20_000));
  if (run.detail.kind !== 'AGENT') throw new Error(`a run of kind ${run.kind}`);
  const { events } = await log.read(keyOf(goal), 0, 1_000);
  return { status: run.status, detail: run.detail, events: events.map(({ event }) => event) };
}
