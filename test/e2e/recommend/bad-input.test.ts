import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGatewayWithVendor, type TestGateway } from '../../helpers/gateway.ts';
import { expectRefused, idOf } from '../bad-input/setup.ts';
import {
  idsOf,
  makeProfile,
  type Profile,
  recommend,
  recommendOperation,
  record,
  recordOperation,
  stockShop,
} from './shop.ts';

const opened = new AsyncDisposableStack();
let gateway: TestGateway;
let ann: Profile;
beforeAll(async () => {
  ({ gateway } = opened.use(await startGatewayWithVendor()));
  await stockShop(gateway, 'shop');
  ann = await makeProfile(gateway, { externalId: 'ann' });
});
afterAll(() => opened.disposeAsync());

const upsert = 'mutation ($input: UpsertProfileInput!) { upsertProfile(input: $input) { profile { id } } }';
const view = { externalId: 'jazz-trio', kind: 'VIEW' };
const tooDeep = JSON.parse(`${'{"not":'.repeat(200)}{"field":"a","exists":true}${'}'.repeat(200)}`);

describe('what is refused', () => {
  it.each<[string, unknown, RegExp]>([
    ['a profile without a name', { externalId: '' }, /^externalId must be 1–500 characters, got 0/],
    ['a profile with a NUL in its name', { externalId: 'a\0' }, /^externalId must .*NUL/],
    [
      'a profile with a name too long',
      { externalId: 'a'.repeat(501) },
      /^externalId must be 1–500 characters, got 501/,
    ],
    ['an empty interest', { externalId: 'a', interests: ['jazz', ' '] }, /^interests\[1\] must hold at least one word/],
    [
      'a long interest',
      { externalId: 'a', interests: ['x'.repeat(201)] },
      /^interests\[0\] must be at most 200 .*got 201/,
    ],
    ['half a character', { externalId: 'a', interests: ['\ud800'] }, /^interests\[0\] must .*surrogate/],
    [
      'too many interests',
      { externalId: 'a', interests: Array.from({ length: 33 }, String) },
      /at most 32 texts, got 33/,
    ],
    ['metadata that is no object', { externalId: 'a', metadata: [1] }, /^metadata must be/],
    ['metadata with a NUL', { externalId: 'a', metadata: { a: '\0' } }, /^metadata.a must .*NUL/],
  ])('%s', async (_name, input, message) => {
    expectRefused(await gateway.request(upsert, { input }), 'upsertProfile', 'BAD_INPUT', message);
  });

  it.each<[string, object, string, RegExp]>([
    ['an id of another type', { profile: idOf('Document') }, 'BAD_INPUT', /^profile must be the id of a Profile/],
    ['a profile that there is not', { profile: idOf('Profile') }, 'NOT_FOUND', /no such profile/],
    ['a collection that there is not', { in: 'nowhere' }, 'NOT_FOUND', /no collection "nowhere"/],
    ['a collection with a NUL', { in: 'a\0' }, 'BAD_INPUT', /^in must .*NUL/],
    ['no interactions', { interactions: [] }, 'BAD_INPUT', /1–1000 interactions \(limits.maxInteractions\), got 0/],
    [
      'too many of them',
      { interactions: Array.from({ length: 1_001 }, () => view) },
      'BAD_INPUT',
      /1–1000 interactions .*got 1001/,
    ],
    [
      'none that can be recorded',
      {
        interactions: [
          { ...view, externalId: 'unicorn' },
          { ...view, at: '2999-01-01T00:00:00Z' },
        ],
      },
      'BAD_INPUT',
      /^None .*no document "unicorn" in the collection "shop"\. at must not lie in the future, got 2999/,
    ],
  ])('to record for %s', async (_name, wrong, code, message) => {
    const input = { profile: ann.id, in: 'shop', interactions: [view], ...wrong };
    expectRefused(await gateway.request(recordOperation, { input }), 'recordInteractions', code, message);
  });

  it.each<[string, object, string, RegExp]>([
    ['an id of another type', { profile: idOf('Document') }, 'BAD_INPUT', /^profile must be the id of a Profile/],
    ['a profile that there is not', { profile: idOf('Profile') }, 'NOT_FOUND', /no such profile/],
    ['a collection that there is not', { in: 'nowhere' }, 'NOT_FOUND', /no collection "nowhere"/],
    ['a collection with a NUL', { in: 'a\0' }, 'BAD_INPUT', /^in must .*NUL/],
    ['none of them', { first: 0 }, 'BAD_INPUT', /^first must be 1–100, got 0/],
    ['too many', { first: 101 }, 'BAD_INPUT', /^first must be 1–100, got 101/],
    ['a cursor of nothing', { after: 'nonsense' }, 'BAD_INPUT', /^after must be/],
    ['an empty filter', { filter: {} }, 'BAD_INPUT', /^filter must have exactly one of/],
    ['a filter that is too deep', { filter: tooDeep }, 'BAD_INPUT', /nested more than 8 deep/],
  ])('to recommend for %s', async (_name, wrong, code, message) => {
    const variables = { profile: ann.id, in: 'shop', ...wrong };
    expectRefused(await gateway.request(recommendOperation, variables), 'recommendations', code, message);
  });

  it('a cursor of another list', async () => {
    const ben = await makeProfile(gateway, { externalId: 'ben' });
    const { pageInfo } = await recommend(gateway, ben, 'shop', { first: 1 });
    const variables = { profile: ann.id, in: 'shop', after: pageInfo.endCursor };
    expectRefused(
      await gateway.request(recommendOperation, variables),
      'recommendations',
      'BAD_INPUT',
      /of another list/,
    );
  });
});

describe('beside what is refused', () => {
  it('the other interactions are recorded, and each that was not is named', async () => {
    const cat = await makeProfile(gateway, { externalId: 'cat' });
    const { recorded, failures, profile } = await record(
      gateway,
      cat,
      'shop',
      { externalId: 'jazz-trio', kind: 'LIKE' },
      { externalId: 'unicorn', kind: 'LIKE' },
      { externalId: 'jazz-sax', kind: 'VIEW', at: '2999-01-01T00:00:00Z' },
      { externalId: 'a\0', kind: 'VIEW' },
      { externalId: 'jazz-sax', kind: 'VIEW', at: '1969-01-01T00:00:00Z' },
      { externalId: 'rock-metal', kind: 'VIEW' },
    );
    expect(recorded).toBe(2);
    expect(failures).toEqual([
      { index: 1, externalId: 'unicorn', message: 'There is no document "unicorn" in the collection "shop".' },
      { index: 2, externalId: 'jazz-sax', message: 'at must not lie in the future, got 2999-01-01T00:00:00.000Z.' },
      { index: 3, externalId: 'a\uFFFD', message: 'externalId must be text that can be stored.' },
      { index: 4, externalId: 'jazz-sax', message: 'at must be 1970 or later, got 1969-01-01T00:00:00.000Z.' },
    ]);
    expect(profile.interactionCount).toBe(2);
  });

  it('an id sent again, in whatever case, is not counted again', async () => {
    const dan = await makeProfile(gateway, { externalId: 'dan' });
    const id = randomUUID();
    const [like, again] = [id, id.toUpperCase()].map((each) => ({
      id: each,
      externalId: 'jazz-trio',
      kind: 'LIKE' as const,
    }));
    if (!like || !again) throw new Error('two were made');
    expect((await record(gateway, dan, 'shop', like, again)).recorded).toBe(1);
    expect(await record(gateway, dan, 'shop', again)).toMatchObject({ recorded: 0, failures: [] });
  });

  it('the other lists of an operation are whole', async () => {
    const list = (name: string, args: string) => `${name}: recommendations(${args}) { edges { node { externalId } } }`;
    const { data, errors } = await gateway.request<Record<string, unknown>, unknown>(
      `{ ${list('good', `profile: "${ann.id}", in: "shop"`)} ${list('gone', `profile: "${idOf('Profile')}", in: "shop"`)}
        ${list('nowhere', `profile: "${ann.id}", in: "nowhere"`)} ${list('zero', `profile: "${ann.id}", in: "shop", first: 0`)} }`,
    );
    expect(data).toMatchObject({ gone: null, nowhere: null, zero: null });
    expect(idsOf(data?.['good'] as Parameters<typeof idsOf>[0])).toHaveLength(10);
    expect(errors?.map(({ path }) => path?.[0])).toEqual(expect.arrayContaining(['gone', 'nowhere', 'zero']));
  });
});
