import type { AgentRole } from '../contracts/run-event.ts';
import { type Agent, defaultLimits } from './agent.ts';

/** What each part is told unless the configuration says otherwise. */
export const usualInstructions: Readonly<Record<AgentRole, string>> = {
  ASSISTANT: 'You are a careful assistant. Answer the goal briefly and completely.',
  PLANNER:
    'You plan research. Break the goal into the fewest questions that can be looked up on their own, so that they can be worked on at the same time.',
  RESEARCHER:
    'You research one question. Report what the sources say about it in a few sentences, with names, numbers and conditions.',
  VALIDATOR:
    'You check a finding against its sources. Accept it when its statements stand in the sources and it answers its question.',
  EXECUTOR:
    'You write the answer to the goal from the findings. Lead with the answer; say what was not found; add nothing that the findings do not say.',
};

export const shippedAgents: readonly Agent[] = [
  {
    name: 'assistant',
    description: 'One model that searches the documents, calls the tools it was given, and answers with citations.',
    topology: 'SINGLE',
    members: [{ name: 'assistant', role: 'ASSISTANT', instructions: usualInstructions.ASSISTANT, model: null }],
    tools: ['calculate', 'read_document', 'search'],
    limits: defaultLimits,
  },
  {
    name: 'research-team',
    description:
      'Plans a goal into questions, researches them at the same time, checks each finding against its sources, and writes one cited answer.',
    topology: 'TEAM',
    members: (['PLANNER', 'RESEARCHER', 'VALIDATOR', 'EXECUTOR'] as const).map((role) => ({
      name: role.toLowerCase(),
      role,
      instructions: usualInstructions[role],
      model: null,
    })),
    tools: ['calculate', 'read_document', 'search'],
    limits: defaultLimits,
  },
];
