import { checkMetadata, checkRetrieval, checkText, range } from '../chat/check-chat-input.ts';
import { GatewayError } from '../contracts/gateway-error.ts';
import type { Models } from '../models/models.ts';
import { checkClientTools } from '../tools/client-tools.ts';
import { type Agent, type AgentLimits, memberOf } from './agent.ts';
import type { AgentInput } from './agent-input.ts';

export interface AgentInputLimits {
  readonly maxMessageChars: number;
  readonly maxFirst: number;
}

const most = { maxSteps: 100, maxParallel: 64, maxTokens: 1_000_000_000, maxCostUsd: 1_000_000, timeoutMs: 86_400_000 };

/** Refuses what cannot work before anything is claimed or spent; each message names the value and what was expected. */
export function checkAgentInput(input: AgentInput, agent: Agent, models: Models, limits: AgentInputLimits): void {
  const { goal, responseSchema, clientTools } = input;
  if (goal.trim() === '') throw bad('goal must hold at least one word, got an empty text.');
  checkText('goal', goal, limits.maxMessageChars, 'limits.maxMessageChars');
  for (const [index, { text }] of input.history.entries()) {
    checkText(`history[${index}].text`, text, limits.maxMessageChars, 'limits.maxMessageChars');
  }
  checkText('user', input.user, 200);
  checkMetadata(input.metadata);
  checkRetrieval({ retrieval: input.retrieval, message: goal }, models, limits);
  checkLimits(input.limits, agent);
  checkClientTools(
    clientTools,
    agent.tools.map((name) => ({ name })),
  );
  if (responseSchema === null && clientTools.length === 0) return;
  const writer = memberOf(agent, agent.topology === 'TEAM' ? 'EXECUTOR' : 'ASSISTANT');
  const model = models.chatModel(writer?.model ?? null);
  if (model.generative) return;
  throw bad(
    `${responseSchema === null ? 'clientTools need' : 'responseSchema needs'} a generative model; ${model.name} of provider ${model.provider} cannot. Leave ${responseSchema === null ? 'them' : 'it'} out, or configure a provider.`,
  );
}

/** What a run may do: what it asked for, and never more than the agent is configured for. */
export function limitsOf(agent: Agent, asked: AgentLimits | null): AgentLimits {
  if (asked === null) return agent.limits;
  const { limits } = agent;
  return {
    maxSteps: Math.min(asked.maxSteps, limits.maxSteps),
    maxParallel: Math.min(asked.maxParallel, limits.maxParallel),
    maxTokens: least(asked.maxTokens, limits.maxTokens),
    maxCostUsd: least(asked.maxCostUsd, limits.maxCostUsd),
    timeoutMs: Math.min(asked.timeoutMs, limits.timeoutMs),
  };
}

function checkLimits({ maxSteps, maxParallel, maxTokens, maxCostUsd, timeoutMs }: AgentLimits, agent: Agent): void {
  range('limits.maxSteps', maxSteps, leastSteps(agent), most.maxSteps);
  range('limits.maxParallel', maxParallel, 1, most.maxParallel);
  range('limits.timeoutMs', timeoutMs, 1, most.timeoutMs);
  if (maxTokens !== null) range('limits.maxTokens', maxTokens, 1, most.maxTokens);
  if (maxCostUsd !== null && !(maxCostUsd > 0 && maxCostUsd <= most.maxCostUsd)) {
    throw bad(`limits.maxCostUsd must be above 0 and at most ${most.maxCostUsd}, got ${maxCostUsd}.`);
  }
}

/** Of a team: something to look up, its check where there is one, and the answer. */
export function leastSteps(agent: Agent): number {
  if (agent.topology === 'SINGLE') return 1;
  return memberOf(agent, 'VALIDATOR') === null ? 2 : 3;
}

function least(asked: number | null, configured: number | null): number | null {
  if (asked === null || configured === null) return asked ?? configured;
  return Math.min(asked, configured);
}

const bad = (message: string): GatewayError => new GatewayError('BAD_INPUT', message);
