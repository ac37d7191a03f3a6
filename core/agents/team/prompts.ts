import type { ChatModel } from '../../models/models.ts';
import { stripMarks } from '../../text/citations.ts';
import { fenced } from '../../text/fence.ts';
import type { Said } from '../agent-input.ts';
import type { PlannedStep } from '../plan/plan.ts';
import type { Work } from '../work.ts';
import type { Found } from './finding.ts';

/** Kept free of sources: instructions, what is known already, and the answer. */
const reservedTokens = 4_096;

/** How many tokens of sources a model is shown. */
export function modelRoom({ contextWindow }: ChatModel): number {
  return Math.max(0, contextWindow - Math.min(reservedTokens, Math.floor(contextWindow / 2)));
}

/** What is left of maxTokens bounds what a call may write. */
export function budgetedOutput({ budget }: Pick<Work, 'budget'>): { readonly maxOutputTokens?: number } {
  const left = budget.outputLeft;
  return left === null ? {} : { maxOutputTokens: left };
}

/** For readers that cannot see its sources. */
export function withoutCitations({ title, finding }: Pick<Found, 'title' | 'finding'>): string {
  return `- ${title}: ${stripMarks(finding.text)}`;
}

/**
 * What a step is to do. A question that came up on the way was written by a model that had read documents, and stands fenced as they
 * do; one of the plan was written from the goal alone.
 */
export function taskText({ task, isFurther = false }: Pick<PlannedStep, 'task' | 'isFurther'>): string {
  return isFurther
    ? `it came up on the way; look up what it asks and do nothing else\n${fenced(task, 'question')}`
    : task;
}

export function conversationText(history: readonly Said[]): string {
  return history.map(({ role, text }) => `${role}: ${text}`).join('\n');
}
