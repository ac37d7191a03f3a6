import type { AgentRole } from '../../contracts/run-event.ts';

/** What a planner may ask for: RESEARCHER looks something up, EXECUTOR does something with tools. */
export type PlannedRole = Extract<AgentRole, 'RESEARCHER' | 'EXECUTOR'>;

export interface PlannedStep {
  /** Unique in its plan. */
  readonly key: string;
  /** A few words, for people who watch. */
  readonly title: string;
  /** The whole question or task, to be understood without the others. */
  readonly task: string;
  readonly role: PlannedRole;
  /** Keys of planned steps whose findings it builds on. */
  readonly dependsOn: readonly string[];
  /** No planner asked for it, but a member who had read what others wrote. Left out: no. */
  readonly isFurther?: boolean;
}

export interface Plan {
  readonly steps: readonly PlannedStep[];
  /** RULES: no model was asked, or what it wrote was no plan, twice. */
  readonly madeBy: 'MODEL' | 'RULES';
  /** There was more to look up than maxSteps allows. */
  readonly isCut: boolean;
}

/** The steps that the gateway adds to a plan. */
export const answerKey = 'answer';
export const checkKeyOf = (key: string): string => `check-${key}`;
export const furtherKeyOf = (key: string): string => `${key}-further`;

/** What a plan of `maxSteps` steps leaves to the planner: each finding has its check, and the answer is a step too. */
export function plannedAtMost(maxSteps: number, hasValidator: boolean): number {
  return Math.max(1, Math.floor((maxSteps - 1) / (hasValidator ? 2 : 1)));
}
