import { GatewayError } from '../contracts/gateway-error.ts';
import { nearestName } from '../models/routes/nearest.ts';
import type { Agent } from './agent.ts';
import { shippedAgents } from './shipped-agents.ts';

/** The agents of this gateway: the shipped ones, and those of the configuration, which win over them by name. */
export interface Agents {
  /** By name. */
  list(): readonly Agent[];
  /** Null when there is none of this name. */
  byName(name: string): Agent | null;
}

export function createAgents(configured: readonly Agent[]): Agents {
  const byName = new Map([...shippedAgents, ...configured].map((agent) => [agent.name, agent]));
  const all = [...byName.values()].sort((left, right) => (left.name < right.name ? -1 : 1));
  return { list: () => all, byName: (name) => byName.get(name) ?? null };
}

/** NOT_FOUND, with the nearest name, for one that there is not. */
export function agentNamed(agents: Agents, name: string): Agent {
  const agent = agents.byName(name);
  if (agent !== null) return agent;
  const names = agents.list().map((each) => each.name);
  const meant = nearestName(name, names);
  const hint = meant === null ? `There are ${names.join(', ')}.` : `The nearest is "${meant}".`;
  throw new GatewayError('NOT_FOUND', `There is no agent "${name.slice(0, 100)}". ${hint}`);
}
