import { assertOneOf, hasOneOf, missingScope, type ScopeHolder } from '../core/access/scopes.ts';
import type { Scope } from '../core/contracts/api-key-store.ts';

/** The types that have ids, and the scopes of which one is enough to read them by it; a test holds them against the schema. */
export const nodeScopes: Readonly<Record<string, readonly Scope[]>> = {
  Agent: ['AGENT'],
  AgentRun: ['AGENT'],
  AgentStep: ['AGENT'],
  ApiKey: ['ADMIN', 'OPERATOR'],
  ChatRun: ['CHAT'],
  Collection: ['SEARCH', 'INGEST'],
  Conversation: ['CHAT'],
  // Replies and outputs cite passages, and recommendations are documents: whoever may read them may read those.
  Document: ['SEARCH', 'CHAT', 'AGENT', 'RECOMMEND'],
  IngestRun: ['INGEST'],
  Message: ['CHAT'],
  Passage: ['SEARCH', 'CHAT', 'AGENT'],
  Profile: ['RECOMMEND'],
};

export function checkNodeScope(holder: ScopeHolder, typename: string): void {
  assertOneOf(holder, nodeScopes[typename] ?? []);
}

/** Each by itself: what is out of reach leaves the others whole. */
export async function nodesInReach<Id extends { readonly typename: string }>(
  holder: ScopeHolder,
  ids: readonly Id[],
  load: (ids: Id[]) => PromiseLike<readonly unknown[]> | readonly unknown[],
): Promise<unknown[]> {
  const needed = ids.map(({ typename }) => nodeScopes[typename] ?? []);
  const isInReach = needed.map((scopes) => hasOneOf(holder, scopes));
  const found = [...(await load(ids.filter((_id, place) => isInReach[place])))];
  return needed.map((scopes, place) => (isInReach[place] ? found.shift() : missingScope(scopes)));
}
