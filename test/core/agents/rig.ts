import { randomUUID } from 'node:crypto';
import { defaultLimits } from '../../../core/agents/agent.ts';
import type { AgentServices } from '../../../core/agents/agent-services.ts';
import { createAgents } from '../../../core/agents/agents.ts';
import { shippedAgents } from '../../../core/agents/shipped-agents.ts';
import { endingMs } from '../../../core/agents/steps/budget.ts';
import type { NewRun } from '../../../core/contracts/run-store.ts';
import type { Toolbox } from '../../../core/tools/toolbox.ts';
import type { ScriptedProvider } from '../../helpers/scripted-provider.ts';
import { poolOf } from '../models/pool.ts';

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
    searchIndex: { search: async (_tenant: string, queries: readonly unknown[]) => queries.map(() => [hit]) },
  } as unknown as AgentServices;
}

/** Its goal is its id. */
export function teamRun(goal: string): NewRun {
  const input = {
    ...{ agent: 'research-team', goal, conversationId: null, history: [], retrieval: null },
    ...{ clientTools: [], responseSchema: null },
    ...{ limits: defaultLimits, whenUnwatched: 'FINISH', user: null, metadata: {} },
  } as const;
  return {
    ...{ tenant: 'tenant', runId: goal, inputHash: goal, keyId: null, input, user: null, metadata: {} },
    ...{ whenUnwatched: 'FINISH', timeoutMs: defaultLimits.timeoutMs + endingMs },
    detail: {
      ...{ kind: 'AGENT', agent: 'research-team', goal, conversationId: null, questionId: null },
      ...{ outputId: randomUUID(), steps: [], output: null },
    },
  };
}
