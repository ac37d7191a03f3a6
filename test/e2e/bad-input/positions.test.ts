import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeCursor } from '../../../core/pagination.ts';
import { nodeScopes } from '../../../resolvers/node-scopes.ts';
import { schema } from '../../../schema/index.ts';
import type { TestGateway } from '../../helpers/gateway.ts';
import { expectRefused, type Hits, idOf, searchQuery, startWithAnimals } from './setup.ts';

const opened = new AsyncDisposableStack();
let gateway: TestGateway;
beforeAll(async () => {
  ({ gateway } = opened.use(await startWithAnimals()));
});
afterAll(() => opened.disposeAsync());

describe('a list', () => {
  const lists: readonly (readonly [string, string])[] = [
    ['collections:default', 'collections(first: $first, after: $after)'],
    ['conversations:default:', 'conversations(first: $first, after: $after)'],
    ['runs:default:{}', 'runs(first: $first, after: $after)'],
  ];
  const queryOf = (list: string) => `query ($first: Int, $after: String) { list: ${list} { edges { cursor } } }`;

  it.each(lists)('is refused no items, too many, and what is no cursor: %s', async (_scope, list) => {
    for (const [variables, message] of [
      [{ first: 0 }, /^first must be 1–100, got 0/],
      [{ first: 101 }, /^first must be 1–100, got 101/],
      [{ after: 'x' }, /^after must be /],
      [{ after: '\0' }, /^after must be /],
    ] as const) {
      expectRefused(await gateway.request(queryOf(list), variables), 'list', 'BAD_INPUT', message);
    }
  });

  // A tag can be copied from a cursor that was given out; what stands behind it is then anybody's.
  it.each(lists)('is refused a cursor whose position was made up: %s', async (scope, list) => {
    for (const key of [
      [],
      [1e300, 'x'],
      ['99999999999999999999', 'x'],
      ['1', 7],
      ['x', 'y'],
      ['1', 'a\0', 'b'],
      [-1],
    ]) {
      const { errors } = await gateway.request(queryOf(list), { after: encodeCursor(scope, key) });
      for (const { extensions } of errors ?? []) expect(extensions.code).toBe('BAD_INPUT');
    }
  });

  it('of passages and documents is refused one too', async () => {
    const { search } = await gateway.data<{ search: Hits }, unknown>(searchQuery);
    const id = search.edges[0]?.node.document.id ?? '';
    const document = Buffer.from(id, 'base64url').toString().replace('Document:', '');
    for (const position of [-1e300, 2 ** 31, -(2 ** 31), 1.5]) {
      const after = encodeCursor(`passages:${document}`, [position]);
      const query =
        'query ($id: ID!, $after: String) { node(id: $id) { ... on Document { passages(after: $after) { totalCount } } } }';
      const { errors } = await gateway.request(query, { id, after });
      expect(errors).toMatchObject([{ extensions: { code: 'BAD_INPUT' }, message: expect.stringMatching(/^after/) }]);
    }
    const { errors } = await gateway.request('{ collection(name: "default") { documents(first: 0) { totalCount } } }');
    expect(errors).toMatchObject([
      { extensions: { code: 'BAD_INPUT' }, message: expect.stringMatching(/^first must be 1–100/) },
    ]);
  });
});

describe('an id', () => {
  it.each([
    ['no id at all', 'x'],
    ['empty', ''],
    ['of a type that has none', idOf('Health')],
    ['of a type that there is not', idOf('Nothing')],
    ['of something else than a UUID', Buffer.from('Document:1').toString('base64url')],
    ['with a NUL', 'RG9j\0'],
  ])('that is %s is BAD_INPUT', async (_name, id) => {
    const result = await gateway.request('query ($id: ID!) { node(id: $id) { id } }', { id });
    expectRefused(result, 'node', 'BAD_INPUT', /^id must be an id that this gateway gave out/);
  });

  it('of each type of node is taken, and null where there is no such thing', async () => {
    const types = Object.values(schema.getTypeMap()).flatMap((type) =>
      'getInterfaces' in type && type.getInterfaces().some(({ name }) => name === 'Node') ? [type.name] : [],
    );
    expect(Object.keys(nodeScopes).sort()).toEqual(types.filter((name) => name !== 'Run').sort());
    const ids = Object.keys(nodeScopes).map((name) => idOf(name));
    const query = 'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }';
    expect(await gateway.data(query, { ids })).toEqual({ nodes: ids.map(() => null) });
  });
});
