import type { ChatModel } from '../../models/models.ts';
import { stripMarks } from '../../text/citations.ts';
import type { Said } from '../agent-input.ts';
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

export function conversationText(history: readonly Said[]): string {
  return history.map(({ role, text }) => `${role}: ${text}`).join('\n');
}
