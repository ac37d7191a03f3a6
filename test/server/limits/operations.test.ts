import { randomUUID } from 'node:crypto';
import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GraphQLResult, startGatewayWithVendor, type TestGateway } from '../../helpers/gateway.ts';
import { expectRefusal } from './setup.ts';

const opened = new AsyncDisposableStack();
let usual: TestGateway;
beforeAll(async () => {
  ({ gateway: usual } = opened.use(await startGatewayWithVendor()));
});
afterAll(() => opened.disposeAsync());

async function overSocket(gateway: TestGateway, query: string): Promise<GraphQLResult<unknown>> {
  try {
    const { value } = await gateway.socket().iterate({ query }).next();
    return value as GraphQLResult<unknown>;
  } catch (errors) {
    return { errors: errors as NonNullable<GraphQLResult<unknown>['errors']> };
  }
}

describe('the shape of an operation', () => {
  const runId = randomUUID();
  const nested = (depth: number) =>
    `{ run(runId: "${runId}") ${'{ finished '.repeat(depth - 2)}{ status }${' }'.repeat(depth - 2)} }`;
  const aliased = (count: number) =>
    `{ ${Array.from({ length: count }, (_, index) => `a${index}: run(runId: "${runId}") { status }`).join(' ')} }`;
  // One token for each id, and twelve around them. The list is bounded as well, but later.
  const long = (tokens: number) => `{ nodes(ids: [${'"x" '.repeat(tokens - 12)}]) { id } }`;

  it.each([
    ['depth', nested(15), nested(16), 'limits.maxDepth', 15, 16],
    ['aliases', aliased(150), aliased(151), 'limits.maxAliases', 150, 151],
    ['tokens', long(4_000), long(4_001), 'limits.maxTokens', 4_000, undefined],
  ])(
    'is bounded in %s, on every transport, before anything is executed',
    async (_name, fits, exceeds, name, limit, cost) => {
      for (const query of [fits, exceeds]) {
        const results = [
          await usual.request(query),
          await overSocket(usual, query),
          ...(await Promise.all(['/graphql', '/graphql/stream'].map((path) => overEvents(path, query)))),
        ];
        for (const result of results) {
          const codes = result.errors?.map(({ extensions }) => extensions.code) ?? [];
          if (query === fits) expect(codes).not.toContain('QUERY_TOO_COMPLEX');
          else expectRefusal(result, 'QUERY_TOO_COMPLEX', name, { limit, ...(cost === undefined ? {} : { cost }) });
        }
      }
    },
  );

  it('is as deep as it is with its fragments in place', async () => {
    const query = `query { run(runId: "${runId}") { ...A } }
      fragment A on Run ${'{ finished '.repeat(8)}{ ...B }${' }'.repeat(8)}
      fragment B on Run ${'{ finished '.repeat(8)}{ status }${' }'.repeat(8)}`;
    expectRefusal(await usual.request(query), 'QUERY_TOO_COMPLEX', 'limits.maxDepth');
  });

  it('does not keep anybody from introspection, which is deeper', async () => {
    const query = getIntrospectionQuery({
      inputValueDeprecation: true,
      specifiedByUrl: true,
      directiveIsRepeatable: true,
    });
    const { data, errors } = await usual.request<{ __schema: { types: readonly unknown[] } }, unknown>(query);
    expect(errors).toBeUndefined();
    expect(data?.__schema.types.length).toBeGreaterThan(50);
  });

  async function overEvents(path: string, query: string): Promise<GraphQLResult<unknown>> {
    const response = await fetch(new URL(path, usual.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query }),
    });
    const [, data = '{}'] = /^data: (.+)$/m.exec(await response.text()) ?? [];
    return JSON.parse(data);
  }
});
