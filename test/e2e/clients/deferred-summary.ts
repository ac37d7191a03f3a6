import { expect } from 'vitest';
import type { Vendor } from '../../helpers/vendor/vendor.ts';
import type { GraphqlClient } from './graphql-client.ts';
import { found, searchVariables } from './rig.ts';

export const deferredQuery = `query ClientsDeferred($query: String!) {
  search(query: $query, first: 1) {
    nodes { text document { title } }
    ... @defer { summary(maxWords: 20) { text } }
  }
}`;
const summary = 'Boats leave at four in the morning [1].';

interface DeferredData {
  readonly search: typeof found.search & { readonly summary?: { readonly text: string } };
}

/** Runs a search with a deferred summary: `request` hands on the data as it is after every part. */
export async function expectDeferredSummary(
  vendor: Vendor,
  request: NonNullable<GraphqlClient['defer']>,
): Promise<void> {
  const hold = Promise.withResolvers<void>();
  vendor.next({ reply: summary, hold: hold.promise });
  const seen: string[] = [];
  await request<DeferredData>(deferredQuery, searchVariables, ({ search }) => {
    const { nodes, summary: so } = search;
    expect({ search: { nodes } }).toMatchObject(found);
    seen.push(so?.text ?? 'not yet');
    // The hits must be there before the summary is even begun.
    hold.resolve();
  });
  expect([...new Set(seen)]).toEqual(['not yet', summary]);
}
