import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestGateway } from '../../helpers/gateway.ts';
import { idOf, startWithAnimals } from './setup.ts';

const opened = new AsyncDisposableStack();
let gateway: TestGateway;
beforeAll(async () => {
  ({ gateway } = opened.use(await startWithAnimals()));
});
afterAll(() => opened.disposeAsync());

describe('one of twenty', () => {
  const twenty = (good: string, bad: string) =>
    `{ ${Array.from({ length: 20 }, (_, index) => `a${index}: ${index === 7 ? bad : good}`).join(' ')} }`;

  it.each([
    ['a search without words', 'search(query: "otters") { nodes { id } }', 'search(query: "") { nodes { id } }'],
    [
      'a search in a collection that there is not',
      'search(query: "otters") { nodes { id } }',
      'search(query: "otters", in: "x") { nodes { id } }',
    ],
    [
      'a search in a collection that cannot be',
      'search(query: "otters") { nodes { id } }',
      'search(query: "otters", in: "x\\u0000") { nodes { id } }',
    ],
    [
      'a search by a filter that is none',
      'search(query: "otters") { nodes { id } }',
      'search(query: "otters", filter: {}) { nodes { id } }',
    ],
    ['a collection whose name cannot be', 'collection(name: "default") { id }', 'collection(name: "x\\u0000") { id }'],
    ['an embedding of a NUL', 'embedding(text: "otters") { tokens }', 'embedding(text: "\\u0000") { tokens }'],
    ['an id that is none', `node(id: "${idOf('Document')}") { id }`, 'node(id: "x") { id }'],
    ['a list of nothing', 'collections { edges { node { id } } }', 'collections(first: 0) { edges { node { id } } }'],
  ])('that is bad leaves the other nineteen whole: %s', async (_name, good, bad) => {
    const alone = await gateway.data<Record<string, unknown>, unknown>(`{ a0: ${good} }`);
    const { data, errors } = await gateway.request<Record<string, unknown>, unknown>(twenty(good, bad));
    expect(errors).toMatchObject([{ path: ['a7'] }]);
    const others = Object.entries(data ?? {}).filter(([alias]) => alias !== 'a7');
    expect(others).toHaveLength(19);
    for (const [, value] of others) expect(value).toEqual(alone['a0']);
    expect(data?.['a7']).toBeNull();
  });
});

describe('mutations of one operation', () => {
  it('go one after the other: when the second fails, the first has happened, and the third does too', async () => {
    const { data, errors } = await gateway.request<Record<string, unknown>, unknown>(`mutation {
      first: createCollection(input: { name: "first" }) { collection { name } }
      again: createCollection(input: { name: "first" }) { collection { name } }
      third: deleteCollection(name: "first") { deletedCount }
    }`);
    expect(data).toEqual({ first: { collection: { name: 'first' } }, again: null, third: { deletedCount: 0 } });
    expect(errors).toMatchObject([
      { path: ['again'], message: expect.stringContaining('first'), extensions: { code: 'CONFLICT' } },
    ]);
    expect(await gateway.data('{ collection(name: "first") { id } }').catch(() => null)).toEqual({ collection: null });
  });
});
