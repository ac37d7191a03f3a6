import { randomUUID } from 'node:crypto';
import type { Caller } from '../access/caller.ts';
import type { ResponseSchemas } from '../chat/response-schemas.ts';
import type { CollectionStore } from '../contracts/collection-store.ts';
import type { NewTurn, RunRecord } from '../contracts/run-store.ts';
import type { Models } from '../models/models.ts';
import { inputHash } from '../runs/input-hash.ts';
import type { Runs } from '../runs/runs.ts';
import { collectionNotFound } from '../search/search.ts';
import type { Toolbox } from '../tools/toolbox.ts';
import type { AgentLimits } from './agent.ts';
import type { AgentInput } from './agent-input.ts';
import { type Agents, agentNamed } from './agents.ts';
import { type AgentInputLimits, checkAgentInput, limitsOf } from './check-agent-input.ts';
import { recent } from './history.ts';
import { endingMs } from './steps/budget.ts';

/** As the app sent it: without limits, those of the agent. */
export interface StartAgent extends Omit<AgentInput, 'limits'> {
  readonly limits: AgentLimits | null;
}

export interface StartAgentServices {
  readonly runs: Runs;
  readonly agents: Agents;
  readonly models: Models;
  readonly collections: CollectionStore;
  readonly schemas: ResponseSchemas;
  readonly toolbox: Toolbox;
  readonly limits: AgentInputLimits;
}

/** Checks the input, claims the run, with its turn where there is a conversation, and lets it run. Nothing is spent before the claim. */
export async function startAgent(
  services: StartAgentServices,
  { tenant, keyId }: Caller,
  runId: string,
  request: StartAgent,
  hasNewId = false,
): Promise<RunRecord> {
  const { runs, agents, models, collections, schemas, toolbox, limits } = services;
  const agent = agentNamed(agents, request.agent);
  // A tool that is not there now would be missed only in the middle of the work.
  toolbox.named(agent.tools);
  const { limits: asked } = request;
  if (asked !== null) checkAgentInput({ ...request, limits: asked }, agent, models, limits);
  const input: AgentInput = { ...request, history: recent(request.history), limits: limitsOf(agent, asked) };
  checkAgentInput(input, agent, models, limits);
  const { retrieval, responseSchema, conversationId, clientTools } = input;
  const [found] = await Promise.all([
    retrieval === null ? null : collections.byNames(tenant, [retrieval.in]),
    responseSchema === null ? null : schemas.assertSchema(responseSchema),
    ...clientTools.map(({ parameters }, index) =>
      schemas.assertSchema(parameters, undefined, `clientTools[${index}].parameters`),
    ),
  ]);
  if (retrieval !== null && found?.length === 0) throw collectionNotFound(retrieval.in);
  return runs.start({
    run: {
      ...{ tenant, runId, keyId, input },
      // Of what the app sent: the same start stays the same when the configuration changes.
      inputHash: inputHash(request),
      user: input.user,
      metadata: input.metadata,
      whenUnwatched: input.whenUnwatched,
      timeoutMs: input.limits.timeoutMs + endingMs,
      detail: {
        ...{ kind: 'AGENT', agent: agent.name, goal: input.goal, conversationId: null, questionId: null },
        ...{ outputId: randomUUID(), steps: [], output: null },
      },
    },
    stored: true,
    turn: conversationId === null ? null : turnOf(conversationId, input.goal),
    hasNewId,
  });
}

function turnOf(conversationId: string, goal: string): NewTurn {
  return {
    conversation: { type: 'existing', id: conversationId },
    parentMessageId: null,
    question: {
      ...{ id: randomUUID(), role: 'USER', parts: [{ type: 'text', text: goal }], object: null, citations: [] },
      ...{ verification: null, finishReason: null, model: null, usage: null },
    },
  };
}
