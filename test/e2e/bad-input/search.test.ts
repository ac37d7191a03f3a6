import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestGateway } from '../../helpers/gateway.ts';
import type { Vendor } from '../../helpers/vendor/vendor.ts';
import { expectRefused, type Hits, searchQuery, startWithAnimals } from './setup.ts';

const opened = new AsyncDisposableStack();
let gateway: TestGateway;
let vendor: Vendor;
beforeAll(async () => {
  ({ gateway, vendor } = opened.use(await startWithAnimals()));
});
afterAll(() => opened.disposeAsync());

describe('a search', () => {
  const filter = (value: unknown) => ({ filter: value });
  const deep = (levels: number): object => (levels === 0 ? { field: 'year', exists: true } : { not: deep(levels - 1) });

  it.each<[string, Readonly<Record<string, unknown>>, RegExp]>([
    ['without words', { query: '' }, /^query must hold at least one word/],
    ['of blanks', { query: ' \n\t' }, /^query must hold at least one word/],
    ['with a NUL', { query: 'a\0' }, /^query must .*NUL character at position 1/],
    ['with half a character', { query: 'ab\ud83d' }, /^query must .*lone surrogate.* at position 2/],
    ['in a collection with a NUL', { in: 'default\0' }, /^in must .*NUL character at position 7/],
    ['in a collection with half a character', { in: '\ud800' }, /^in must .*surrogate/],
    ['for nothing', { first: 0 }, /^first must be 1–100, got 0/],
    ['for less than nothing', { first: -1 }, /^first must be 1–100, got -1/],
    ['for too much', { first: 101 }, /^first must be 1–100, got 101/],
    ['for no passage of a document', { perDocument: 0 }, /^perDocument must be 1–1000, got 0/],
    ['after what is no cursor', { after: 'here' }, /^after must be .*"here"/],
    ['after nothing', { after: '' }, /^after must be .*""/],
    ['by an empty filter', filter({}), /^filter must have exactly one of all, any, not and field, got none/],
    [
      'by a field without an operator',
      filter({ field: 'year' }),
      /^filter must have exactly one of equals, in, .* got none/,
    ],
    ['by two operators', filter({ field: 'year', equals: 1, lessThan: 2 }), /^filter must .* got equals and lessThan/],
    ['by an operator without a field', filter({ all: [{ equals: 1 }] }), /^filter\.all\[0\] must .* got none/],
    [
      'by an operator beside a branch',
      filter({ not: { field: 'year', exists: true }, equals: 1 }),
      /^filter has equals without a field/,
    ],
    ['by two branches', filter({ all: [], any: [] }), /^filter must .* got all and any/],
    ['by a branch of nothing', filter({ any: [] }), /^filter\.any must hold at least one/],
    ['by one of no values', filter({ field: 'year', in: [] }), /^filter\.in must hold 1–1000 values, got 0/],
    [
      'by an order of booleans',
      filter({ field: 'year', lessThan: true }),
      /^filter\.lessThan must be a number or a string, got true/,
    ],
    ['by a field without a name', filter({ field: '', exists: true }), /^filter\.field must be 1–200 characters/],
    ['by a field with a NUL', filter({ field: 'a\0', exists: true }), /^filter\.field must be .*NUL/],
    ['by a value with a NUL', filter({ field: 'a', equals: ['\0'] }), /^filter\.equals\[0\] must .*NUL/],
    ['by a filter that is nested too deep', filter(deep(8)), /^filter(\.not){8} is nested more than 8 deep/],
    [
      'by a value that is nested too deep',
      filter({ field: 'a', equals: JSON.parse('['.repeat(4_000) + ']'.repeat(4_000)) }),
      /^filter\.equals must be at most 20 levels deep/,
    ],
  ])('%s is BAD_INPUT that names what was wrong, and costs nothing', async (_name, variables, message) => {
    const calls = vendor.calls().length;
    expectRefused(await gateway.request(searchQuery, variables), 'search', 'BAD_INPUT', message);
    expect(vendor.calls()).toHaveLength(calls);
  });

  it('by a filter that is nested without end is BAD_INPUT, which has a place only if GraphQL had stack enough to get there', async () => {
    const { data, errors } = await gateway.request<{ search: Hits | null }, unknown>(searchQuery, filter(deep(4_000)));
    expect(errors).toEqual([
      expect.objectContaining({
        message: expect.stringMatching(/nested (?:more than 8|too) deep/),
        extensions: expect.objectContaining({ code: 'BAD_INPUT', retryable: false }),
      }),
    ]);
    expect(data?.search ?? null).toBeNull();
  });

  it('in a collection that there is not is NOT_FOUND, which names it', async () => {
    expectRefused(await gateway.request(searchQuery, { in: 'nowhere' }), 'search', 'NOT_FOUND', /"nowhere"/);
  });

  it('is refused the cursor of another search, and of another list', async () => {
    const { search } = await gateway.data<{ search: Hits }, unknown>(searchQuery);
    const after = search.edges[0]?.cursor;
    expect((await gateway.request(searchQuery, { after })).errors).toBeUndefined();
    for (const other of [{ query: 'badgers' }, { filter: { field: 'year', exists: true } }, { perDocument: 3 }]) {
      expectRefused(
        await gateway.request(searchQuery, { after, ...other }),
        'search',
        'BAD_INPUT',
        /^after must be a cursor of this list.*another list or query/,
      );
    }
    const elsewhere = await gateway.request(`query ($after: String) { runs(after: $after) { edges { cursor } } }`, {
      after,
    });
    expectRefused(elsewhere, 'runs', 'BAD_INPUT', /^after must be a cursor of this list/);
  });
});
