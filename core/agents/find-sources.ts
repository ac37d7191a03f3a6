import { GatewayError } from '../contracts/gateway-error.ts';
import type { CallOptions } from '../models/models.ts';
import { type SearchServices, search } from '../search/search.ts';
import { type NumberedSource, numberSources } from '../text/source-prompt.ts';
import type { AgentInput } from './agent-input.ts';

const usual = { in: 'default', first: 6, mode: 'HYBRID', filter: null, rerank: false, perDocument: 3 } as const;
/** What is looked at when the first look was not enough. */
const widened = 2;

/**
 * The passages that speak to a question, numbered from 1. Null: there is nothing to search, as a run that named no collection may
 * find no default one.
 */
export async function findSources(
  services: SearchServices,
  { retrieval }: Pick<AgentInput, 'retrieval'>,
  { question, isSecondLook }: { readonly question: string; readonly isSecondLook: boolean },
  call: CallOptions,
): Promise<readonly NumberedSource[] | null> {
  const asked = retrieval ?? usual;
  const { maxFirst, maxQueryChars } = services.limits;
  const query = question.trim().slice(0, maxQueryChars).toWellFormed();
  const wider = isSecondLook ? { first: Math.min(maxFirst, asked.first * widened), perDocument: null } : {};
  try {
    const { hits } = await search(services, { ...asked, ...wider, query, after: null }, call);
    return numberSources(hits);
  } catch (error) {
    if (retrieval === null && error instanceof GatewayError && error.code === 'NOT_FOUND') return null;
    throw error;
  }
}
