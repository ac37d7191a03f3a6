import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { type GraphQLResult, ingest, startGatewayWithVendor, type TestGateway } from '../../helpers/gateway.ts';
import type { Vendor } from '../../helpers/vendor/vendor.ts';

/*
 * What a chat refuses is in ../chat/turn.test.ts, what a response schema is in ../chat/structured.test.ts, a runId that was
 * used in ../runs/idempotency.test.ts, a provider that does not answer in ../runs/vendor-failures.test.ts, a data directory
 * that is in use in ../durability/failed-start.test.ts, and what is too much of something in test/server/limits.
 */

/** A gateway with two documents to find, and the vendor behind it. */
export async function startWithAnimals(): Promise<
  AsyncDisposable & { readonly gateway: TestGateway; readonly vendor: Vendor }
> {
  const started = await startGatewayWithVendor();
  await ingest(started.gateway, [
    { externalId: 'otters', title: 'Otters', text: 'Otters swim in rivers.', metadata: { year: 2001 } },
    { externalId: 'badgers', title: 'Badgers', text: 'Badgers dig under hedges.', metadata: { year: 2002 } },
  ]);
  return started;
}

export interface Hits {
  readonly edges: readonly {
    readonly cursor: string;
    readonly node: { readonly id: string; readonly document: { readonly id: string } };
  }[];
}

export const searchQuery = `query ($query: String! = "otters", $in: String, $first: Int, $after: String, $filter: MetadataFilter, $perDocument: Int) {
  search(query: $query, in: $in, first: $first, after: $after, filter: $filter, perDocument: $perDocument) {
    edges { cursor node { id document { id } } }
  }
}`;

/** Refused with one error at this place, and nothing else is there. */
export function expectRefused(
  { data, errors }: GraphQLResult<unknown>,
  path: string,
  code: string,
  message: RegExp,
): void {
  expect(errors).toEqual([
    expect.objectContaining({
      message: expect.stringMatching(message),
      path: [path],
      extensions: expect.objectContaining({ code, retryable: false }),
    }),
  ]);
  expect(data).toEqual({ [path]: null });
}

/** An id of this type, of something that there is not. */
export const idOf = (typename: string): string =>
  Buffer.from(`${typename}:${randomUUID()}${typename === 'AgentStep' ? '/step' : ''}`).toString('base64url');
