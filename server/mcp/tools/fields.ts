import { z } from 'zod';
import type { Usage } from '../../../core/contracts/usage.ts';

export const collection = z
  .string()
  .min(1)
  .default('default')
  .describe('The collection of documents, "default" when left out.');

export const citations = z
  .array(
    z.object({
      number: z.int().describe('The n of [n] in the text.'),
      quote: z.string().describe('Literally in the source.'),
      title: z.string().nullable(),
      url: z.string().nullable(),
    }),
  )
  .describe('What the text rests on.');

export const runId = z.string().describe('The id of the run behind it: run(runId: …) in GraphQL has all of it.');

export const usage = z
  .object({
    inputTokens: z.number(),
    outputTokens: z.number(),
    costUsd: z.number().nullable().describe('Null where a model has no known price.'),
  })
  .describe('What it cost.');

export interface CitationParts {
  readonly number: number;
  readonly quote: string;
  readonly title: string | null;
  readonly url: string | null;
}

export function citationsOf(records: readonly CitationParts[]): CitationParts[] {
  return records.map(({ number, quote, title, url }) => ({ number, quote, title, url }));
}

/** A cited text as one text: the sources stand below it. */
export function citedText(text: string, records: readonly CitationParts[]): string {
  const lines = records.map(({ number, title, url, quote }) => {
    const name = [title, url].filter((part) => part !== null).join(', ');
    return `[${number}] ${name === '' ? `"${quote}"` : name}`;
  });
  return lines.length === 0 ? text : `${text}\n\n${lines.join('\n')}`;
}

export function usageOf({
  inputTokens,
  outputTokens,
  costUsd,
}: Usage): Pick<Usage, 'inputTokens' | 'outputTokens' | 'costUsd'> {
  return { inputTokens, outputTokens, costUsd };
}
