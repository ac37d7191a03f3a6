import { connectionFrom } from '../client/connection.ts';
import { request } from '../client/request.ts';
import type { CommandContext } from '../command-context.ts';
import { usageError } from '../command-error.ts';
import { interruptible } from '../interruptible.ts';
import { printHits } from '../search/print-hits.ts';
import { searchOperation } from '../search/search-operation.ts';

export interface SearchOptions {
  readonly in: string;
  readonly first: number;
  readonly mode: 'hybrid' | 'vector' | 'keyword';
  readonly json?: boolean;
  readonly url?: string;
  readonly apiKey?: string;
}

/** `sluice search`: results on stdout, for people or, with --json, as the gateway's own JSON. */
export async function search(query: string, options: SearchOptions, context: CommandContext): Promise<void> {
  if (query.trim() === '')
    throw usageError('the query is empty: give some words, such as sluice search "opening hours"');
  const connection = connectionFrom(options, context.env);
  const variables = { query, in: options.in, first: options.first, mode: options.mode.toUpperCase() };
  const { search: result } = await interruptible((signal) => request(connection, searchOperation, variables, signal));
  if (options.json) context.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  else if (result.edges.length === 0) context.stderr.write(`nothing found in "${options.in}"\n`);
  else printHits(result.edges, context.stdout);
}
