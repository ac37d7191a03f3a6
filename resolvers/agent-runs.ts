import type { Context } from '../context.ts';
import type { Agent } from '../core/agents/agent.ts';
import type { Json } from '../core/contracts/filter.ts';
import type { FinishReason } from '../core/contracts/model-provider.ts';
import type { AgentOutput, AgentStepRecord, RunDetail, RunRecord } from '../core/contracts/run-store.ts';
import { orNull } from './found.ts';

type AgentDetail = Extract<RunDetail, { kind: 'AGENT' }>;

/** A step, with the run that it is read from: its neighbours are there too. */
export interface StepView {
  readonly run: RunRecord;
  readonly step: AgentStepRecord;
}

export function agentDetail({ detail, kind }: RunRecord): AgentDetail {
  if (detail.kind === 'AGENT') return detail;
  throw new Error(`a run of kind ${kind} was read as an agent's`);
}

export function agentOf(run: RunRecord, { services }: Context): Agent | null {
  return services.agents.byName(agentDetail(run).agent);
}

export function stepsOf(run: RunRecord): StepView[] {
  return agentDetail(run).steps.map((step) => ({ run, step }));
}

export function dependenciesOf({ run, step }: StepView): StepView[] {
  return stepsOf(run).filter(({ step: { key } }) => step.dependsOn.includes(key));
}

/** Waits for the end. Null when nothing had come by then. */
export async function outputOf(run: RunRecord, { services, signal }: Context): Promise<AgentOutput | null> {
  return agentDetail(await services.runs.whenFinished(run, signal)).output;
}

export async function objectOf(run: RunRecord, context: Context): Promise<Json> {
  return (await outputOf(run, context))?.object ?? null;
}

export async function finishReasonOf(run: RunRecord, context: Context): Promise<FinishReason | null> {
  return (await outputOf(run, context))?.finishReason ?? null;
}

/** Ids of steps are of their run and their key: `runId/key`. */
export const stepIdOf = ({ run, step }: StepView): string => `${run.runId}/${step.key}`;

export async function findStep(id: string, { loaders }: Context): Promise<StepView | null> {
  const [runId = '', key] = id.split('/');
  const run = await orNull(loaders.run.load(runId));
  if (run === null || run.kind !== 'AGENT') return null;
  return stepsOf(run).find(({ step }) => step.key === key) ?? null;
}
