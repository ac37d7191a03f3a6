import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type ApiKeyStore, type NewApiKey, unlimited } from '../../core/contracts/api-key-store.ts';
import { nextMillisecond } from '../helpers/next-millisecond.ts';

/** What every store of API keys must do; `open` gives one store for all tests, which keep apart by their tenants. */
export function apiKeyStoreContract(name: string, open: () => ApiKeyStore): void {
  const newKey = (changes: Partial<NewApiKey> = {}): NewApiKey => ({
    id: randomUUID(),
    tenant: randomUUID(),
    name: 'ci',
    prefix: randomUUID().slice(-12),
    hash: 'hash',
    scopes: ['CHAT', 'SEARCH'],
    limits: { ...unlimited, requestsPerMinute: 60, budgetUsdPerDay: 0.5 },
    allowUnknownPrice: false,
    expiresAt: null,
    ...changes,
  });

  describe(`${name} keeps the contract of ApiKeyStore`, () => {
    it('gives back a key whole, with its hash only to whoever knows its prefix', async () => {
      const key = newKey({ expiresAt: new Date(Date.now() + 60_000), allowUnknownPrice: true });
      const created = await open().create(key);
      const { hash, ...shown } = key;
      expect(created).toEqual({ ...shown, createdAt: expect.any(Date), lastUsedAt: null, revokedAt: null });
      expect(await open().byPrefixes([key.prefix, 'nobody'])).toEqual([{ ...created, hash }]);
      expect(await open().byIds(key.tenant, [key.id])).toEqual([created]);
      expect(await open().byPrefixes([])).toEqual([]);
    });

    it('refuses a name that the tenant has, until its key is revoked', async () => {
      const key = newKey();
      await open().create(key);
      const twin = newKey({ tenant: key.tenant });
      await expect(open().create(twin)).rejects.toMatchObject({ code: 'CONFLICT', message: /"ci"/ });
      await open().create(newKey());
      await open().revoke(key.tenant, key.id);
      expect(await open().create(twin)).toMatchObject({ id: twin.id });
    });

    it('lists the keys of one tenant, newest first, page by page, the revoked ones too', async () => {
      const tenant = randomUUID();
      const ids: string[] = [];
      for (const each of ['a', 'b', 'c']) {
        ids.unshift((await open().create(newKey({ tenant, name: each }))).id);
        await nextMillisecond();
      }
      await open().create(newKey());
      await open().revoke(tenant, ids[1] ?? '');
      const seen: string[] = [];
      let after: readonly (string | number)[] | null = null;
      for (let hasNext = true; hasNext; ) {
        const page: Awaited<ReturnType<ApiKeyStore['list']>> = await open().list(tenant, { first: 2, after });
        seen.push(...page.items.map(({ item }) => item.id));
        after = page.items.at(-1)?.key ?? null;
        hasNext = page.hasNext;
      }
      expect(seen).toEqual(ids);
    });

    it('revokes once, and says whether it was this call', async () => {
      const key = await open().create(newKey());
      const both = await Promise.all([open().revoke(key.tenant, key.id), open().revoke(key.tenant, key.id)]);
      expect(both.map((answer) => answer?.revokedNow).toSorted()).toEqual([false, true]);
      const [revoked] = await open().byIds(key.tenant, [key.id]);
      expect(revoked?.revokedAt).toBeInstanceOf(Date);
      expect((await open().revoke(key.tenant, key.id))?.key).toEqual(revoked);
      expect(await open().revoke(key.tenant, randomUUID())).toBeNull();
    });

    it('keeps tenants apart; whoever may revoke in any says so', async () => {
      const key = await open().create(newKey());
      const other = randomUUID();
      expect(await open().byIds(other, [key.id])).toEqual([]);
      expect((await open().list(other, { first: 10, after: null })).items).toEqual([]);
      expect(await open().revoke(other, key.id)).toBeNull();
      await open().used([{ tenant: other, id: key.id, at: new Date() }]);
      expect(await open().byIds(key.tenant, [key.id])).toEqual([key]);
      expect(await open().revoke(null, key.id)).toMatchObject({ revokedNow: true });
    });

    it('remembers the latest use, whatever order the uses are written in', async () => {
      const [one, two] = [await open().create(newKey()), await open().create(newKey())];
      const at = (seconds: number) => new Date(1_800_000_000_000 + seconds * 1_000);
      await open().used([
        { tenant: one.tenant, id: one.id, at: at(5) },
        { tenant: two.tenant, id: two.id, at: at(7) },
      ]);
      await open().used([{ tenant: one.tenant, id: one.id, at: at(3) }]);
      await open().used([]);
      expect((await open().byIds(one.tenant, [one.id]))[0]?.lastUsedAt).toEqual(at(5));
      expect((await open().byIds(two.tenant, [two.id]))[0]?.lastUsedAt).toEqual(at(7));
    });

    it('knows that there was a key ever, also when all are revoked', async () => {
      const key = await open().create(newKey());
      await open().revoke(key.tenant, key.id);
      expect(await open().any()).toBe(true);
    });

    it('takes an id that is no id for one that nobody has', async () => {
      expect(await open().byIds(randomUUID(), ['no id', '\u0000'])).toEqual([]);
    });
  });
}
