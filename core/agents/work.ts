import type { CallOptions } from '../models/models.ts';
import type { UsageMeter } from '../models/usage/usage-meter.ts';
import type { RunIo } from '../runs/live-run.ts';
import type { CallIds } from '../tools/loop/call-ids.ts';
import { type Agent, type AgentMember, memberOf } from './agent.ts';
import type { AgentInput, Said } from './agent-input.ts';
import type { AgentServices } from './agent-services.ts';
import type { Output } from './output.ts';
import type { Budget } from './steps/budget.ts';
import type { StepBoard } from './steps/step-board.ts';
import { StepMeter } from './steps/step-meter.ts';

/** One attempt at a run of an agent: what all its parts share. */
export interface Work {
  readonly services: AgentServices;
  readonly io: RunIo;
  readonly agent: Agent;
  readonly input: AgentInput;
  readonly board: StepBoard;
  readonly budget: Budget;
  readonly output: Output;
  /** The ids of its tool calls, unique over all steps. */
  readonly callIds: CallIds;
  /** Oldest first; empty for a goal that is no turn of a conversation. */
  readonly history: readonly Said[];
  /** Fires with the run's own signal, and when its time is up. */
  readonly signal: AbortSignal;
}

export function stepMeter({ io, budget }: Pick<Work, 'io' | 'budget'>): StepMeter {
  return new StepMeter(io.meter, () => budget.look());
}

export function callOf({ io, signal }: Pick<Work, 'io' | 'signal'>, meter: UsageMeter): CallOptions {
  return { tenant: io.run.tenant, payer: io.run.keyId, meter, signal };
}

/** The member that has the part; an agent without it would not have been let in. */
export function member({ agent }: Pick<Work, 'agent'>, role: AgentMember['role']): AgentMember {
  const found = memberOf(agent, role);
  if (found === null) throw new Error(`agent ${agent.name} has no ${role}`);
  return found;
}

/** Whether the member's model can write; one that cannot has its part done by rules. */
export function writes({ services }: Pick<Work, 'services'>, { model }: AgentMember): boolean {
  return services.models.chatModel(model).generative;
}
