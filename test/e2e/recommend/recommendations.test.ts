import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ingest, startGatewayWithVendor, type TestGateway } from '../../helpers/gateway.ts';
import type { Vendor } from '../../helpers/vendor/vendor.ts';
import { idsOf, listFields, makeProfile, recommend, record, stockShop } from './shop.ts';

const opened = new AsyncDisposableStack();
let gateway: TestGateway;
let vendor: Vendor;
beforeAll(async () => {
  ({ gateway, vendor } = opened.use(await startGatewayWithVendor()));
  for (const shop of ['shop', 'cold', 'changing']) await stockShop(gateway, shop);
});
afterAll(() => opened.disposeAsync());

const someone = (rest: { readonly interests?: readonly string[] } = {}) =>
  makeProfile(gateway, { externalId: randomUUID(), ...rest });
const before = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();

describe('recommendations', () => {
  it('put what is like the liked first, say because of what, and leave out what was liked or bought', async () => {
    const ann = await someone();
    await record(
      gateway,
      ann,
      'shop',
      { externalId: 'jazz-trio', kind: 'LIKE' },
      { externalId: 'jazz-sax', kind: 'PURCHASE' },
    );
    const list = await recommend(gateway, ann, 'shop');
    expect(idsOf(list).slice(0, 2).toSorted()).toEqual(['jazz-big-band', 'jazz-vocal']);
    expect(idsOf(list)).not.toContain('jazz-trio');
    expect(idsOf(list)).not.toContain('jazz-sax');
    expect(list.edges).toHaveLength(8);
    const [best] = list.edges;
    expect(best?.because.map(({ externalId }) => externalId)).toEqual(
      expect.arrayContaining([expect.stringMatching(/^jazz-(trio|sax)$/)]),
    );
    for (const { score } of list.edges) expect(score).toBeGreaterThanOrEqual(0);
    expect(best?.score).toBeLessThanOrEqual(1);
  });

  it('serve several tastes at once, not the middle of them', async () => {
    const ben = await someone();
    await record(
      gateway,
      ben,
      'shop',
      { externalId: 'jazz-trio', kind: 'LIKE' },
      { externalId: 'garden-rose', kind: 'LIKE' },
    );
    const list = await recommend(gateway, ben, 'shop', { first: 4 });
    const kinds = idsOf(list).map((id) => id.split('-')[0]);
    expect(kinds).toContain('jazz');
    expect(kinds).toContain('garden');
    expect(kinds).not.toContain('rock');
    const reasons = new Map(list.edges.map(({ node, because }) => [node.externalId, because[0]?.externalId]));
    expect(reasons.get('jazz-vocal') ?? 'jazz-trio').toBe('jazz-trio');
    expect(reasons.get('garden-tree') ?? 'garden-rose').toBe('garden-rose');
  });

  it('let what was done long ago count less', async () => {
    const eve = await someone();
    await record(
      gateway,
      eve,
      'shop',
      { externalId: 'rock-garage', kind: 'LIKE', at: before(400) },
      { externalId: 'garden-rose', kind: 'VIEW' },
    );
    expect(idsOf(await recommend(gateway, eve, 'shop', { first: 3 }))).toContain('garden-tree');
    const [best] = (await recommend(gateway, eve, 'shop', { first: 1 })).edges;
    expect(best?.node.externalId).toMatch(/^garden/);
  });

  it('push away what is like the disliked, and never show that again, until it is liked', async () => {
    const dan = await someone();
    await record(gateway, dan, 'shop', { externalId: 'rock-garage', kind: 'VIEW' });
    const without = await recommend(gateway, dan, 'shop');
    await record(gateway, dan, 'shop', { externalId: 'rock-stadium', kind: 'DISLIKE' });
    const withDislike = await recommend(gateway, dan, 'shop');
    const scoreOf = (list: typeof without, id: string) =>
      list.edges.find(({ node }) => node.externalId === id)?.score ?? -1;
    expect(idsOf(withDislike)).not.toContain('rock-stadium');
    expect(scoreOf(withDislike, 'rock-metal')).toBeLessThan(scoreOf(without, 'rock-metal'));
    await record(gateway, dan, 'shop', { externalId: 'rock-stadium', kind: 'LIKE' });
    expect(scoreOf(await recommend(gateway, dan, 'shop'), 'rock-metal')).toBeGreaterThan(
      scoreOf(withDislike, 'rock-metal'),
    );
  });

  it('start from stated interests, in one embeddings call for all of an operation', async () => {
    const fay = await someone({ interests: ['planting a garden', 'pruning'] });
    const calls = vendor.calls('/embeddings').length;
    const list = await recommend(gateway, fay, 'shop', { first: 3 });
    expect(idsOf(list).every((id) => id.startsWith('garden'))).toBe(true);
    expect(list.edges[0]?.because).toEqual([]);
    expect(vendor.calls('/embeddings').length - calls).toBe(1);
  });

  it('go on without interests while they cannot be embedded', async () => {
    const gil = await someone({ interests: [`words ${randomUUID()}`] });
    await record(gateway, gil, 'shop', { externalId: 'garden-rose', kind: 'LIKE' });
    vendor.nextOf('/embeddings', { status: 400 });
    expect(idsOf(await recommend(gateway, gil, 'shop', { first: 1 }))[0]).toMatch(/^garden/);
  });

  it('show somebody unknown what is popular, counting each person once, and then the newest', async () => {
    const newest = async () => idsOf(await recommend(gateway, await someone(), 'cold'));
    const all = await newest();
    expect(all).toHaveLength(10);
    await ingest(gateway, [{ externalId: 'latest', title: 'Latest', text: 'A kite for windy days.' }], 'cold');
    expect((await newest())[0]).toBe('latest');
    const [first, second] = [await someone(), await someone()];
    // One who looks ten times is one; two who look are two.
    for (let times = 0; times < 10; times += 1)
      await record(gateway, first, 'cold', { externalId: 'rock-metal', kind: 'VIEW' });
    for (const each of [first, second])
      await record(gateway, each, 'cold', { externalId: 'garden-herb', kind: 'VIEW' });
    expect((await newest()).slice(0, 3)).toEqual(['garden-herb', 'rock-metal', 'latest']);
  });

  it('hold to the filter', async () => {
    const hal = await someone({ interests: ['jazz piano'] });
    const filter = { field: 'price', lessThan: 12 };
    expect(idsOf(await recommend(gateway, hal, 'shop', { filter })).toSorted()).toEqual([
      'garden-herb',
      'jazz-vocal',
      'rock-garage',
    ]);
  });

  it('turn pages that never repeat an item, though what is done meanwhile counts at once', async () => {
    const ida = await someone();
    await record(gateway, ida, 'changing', { externalId: 'jazz-trio', kind: 'LIKE' });
    const whole = idsOf(await recommend(gateway, ida, 'changing'));
    const first = await recommend(gateway, ida, 'changing', { first: 3 });
    const quiet = await recommend(gateway, ida, 'changing', { first: 3, after: first.pageInfo.endCursor });
    expect([...idsOf(first), ...idsOf(quiet)]).toEqual(whole.slice(0, 6));
    expect([first, quiet].map(({ pageInfo }) => pageInfo)).toEqual([
      expect.objectContaining({ hasNextPage: true, hasPreviousPage: false }),
      expect.objectContaining({ hasNextPage: true, hasPreviousPage: true }),
    ]);
    await record(gateway, ida, 'changing', { externalId: 'garden-rose', kind: 'PURCHASE' });
    const second = await recommend(gateway, ida, 'changing', { first: 3, after: first.pageInfo.endCursor });
    expect(idsOf(second)[0]).toMatch(/^garden/);
    const third = await recommend(gateway, ida, 'changing', { first: 3, after: second.pageInfo.endCursor });
    const seen = [first, second, third].flatMap(idsOf);
    expect(seen.toSorted()).toEqual(whole.filter((id) => id !== 'garden-rose').toSorted());
    expect(third.pageInfo.hasNextPage).toBe(false);
  });

  it('are one statement for the candidates of fifty profiles, and a fixed number for all of it', async () => {
    const people = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const person = await someone({ interests: [`interest ${index % 3}`] });
        const [externalId] = ['jazz-trio', 'rock-metal', 'garden-rose'].slice(index % 3);
        await record(gateway, person, 'shop', { externalId: externalId ?? '', kind: 'LIKE' });
        return person;
      }),
    );
    const operation = (count: number): string =>
      `{ ${people
        .slice(0, count)
        .map(({ id }, index) => `p${index}: recommendations(profile: "${id}", in: "shop", first: 3) { ${listFields} }`)
        .join(' ')} }`;
    const spent = async (count: number) => {
      const statements = new Map(gateway.statements);
      const lists = await gateway.data<Record<string, { edges: unknown[] }>, unknown>(operation(count));
      for (const { edges } of Object.values(lists)) expect(edges).toHaveLength(3);
      return [...gateway.statements].flatMap(([name, times]) => {
        const used = times - (statements.get(name) ?? 0);
        // Vectors of providers are saved behind an answer's back.
        return used === 0 || name.includes('embedding') ? [] : [[name, used] as const];
      });
    };
    await spent(50);
    const used = Object.fromEntries(await spent(50));
    // The documents of the lists and those of `because` are one statement, too.
    const once = { 'collections-by-names': 1, tastes: 1, recommendations: 1, 'documents-by-ids': 1 };
    expect(used).toMatchObject(once);
    // And now and then the gateway's heartbeat.
    expect(Math.max(...Object.values(used))).toBeLessThanOrEqual(2);
  });

  it('are a field of profiles, too', async () => {
    const jon = await someone({ interests: ['garden trees'] });
    const { profile } = await gateway.data<
      { profile: { recommendations: { edges: { node: { externalId: string } }[] } } },
      unknown
    >(
      `query ($name: String!) { profile(externalId: $name) { recommendations(in: "shop", first: 1) { edges { node { externalId } } } } }`,
      { name: jon.externalId },
    );
    expect(profile.recommendations.edges[0]?.node.externalId).toBe('garden-tree');
  });

  it('leave nothing behind of documents and collections that are gone', async () => {
    const kim = await someone();
    await stockShop(gateway, 'closing');
    await record(
      gateway,
      kim,
      'closing',
      { externalId: 'jazz-trio', kind: 'LIKE' },
      { externalId: 'rock-metal', kind: 'LIKE' },
    );
    await gateway.data(
      'mutation { deleteDocuments(in: "closing", externalIds: ["jazz-trio", "jazz-vocal"]) { deletedCount } }',
    );
    const list = await recommend(gateway, kim, 'closing');
    expect(idsOf(list)).not.toContain('jazz-vocal');
    expect(list.edges.flatMap(({ because }) => because.map(({ externalId }) => externalId))).not.toContain('jazz-trio');
    await gateway.data('mutation { deleteCollection(name: "closing") { deletedCount } }');
    expect((await makeProfile(gateway, { externalId: kim.externalId })).interactionCount).toBe(0);
  });
});
