import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { KeyRing } from '../../../core/access/key-ring.ts';
import { newSecret, prefixOf } from '../../../core/access/key-secret.ts';
import { type StoredApiKey, unlimited } from '../../../core/contracts/api-key-store.ts';
import type { Logger } from '../../../core/contracts/logger.ts';

const silence = () => {};
const logger: Logger = { debug: silence, info: silence, warn: silence, error: silence, child: () => logger };

/** A store that several rings share, as instances share a database. */
class Store {
  readonly keys = new Map<string, StoredApiKey>();
  /** What was asked, statement by statement. */
  readonly asked: (readonly string[])[] = [];
  uses: readonly { readonly id: string }[] = [];
  isAway = false;
  delayMs = 0;

  make(changes: Partial<StoredApiKey> = {}): { readonly secret: string; readonly key: StoredApiKey } {
    const { secret, prefix, hash } = newSecret();
    const key: StoredApiKey = {
      ...{ id: randomUUID(), tenant: 'acme', name: 'app', prefix, hash, scopes: ['CHAT'], limits: unlimited },
      ...{ allowUnknownPrice: false, createdAt: new Date(), expiresAt: null, lastUsedAt: null, revokedAt: null },
      ...changes,
    };
    this.keys.set(prefix, key);
    return { secret, key };
  }

  revoke({ prefix }: StoredApiKey): void {
    const key = this.keys.get(prefix);
    if (key) this.keys.set(prefix, { ...key, revokedAt: new Date() });
  }

  async byPrefixes(prefixes: readonly string[]): Promise<StoredApiKey[]> {
    this.asked.push(prefixes);
    if (this.delayMs > 0) await sleep(this.delayMs);
    if (this.isAway) throw new Error('the database is away');
    return prefixes.flatMap((prefix) => this.keys.get(prefix) ?? []);
  }

  async used(uses: readonly { readonly id: string }[]): Promise<void> {
    this.uses = uses;
  }
}

function ringOf(store: Store, options: { readonly freshMs?: number } = {}) {
  const clock = { now: () => Date.now(), sleep: (ms: number) => sleep(ms) };
  const ring = new KeyRing({ store, clock, logger, lookEveryMs: 20, freshMs: 50, ...options });
  return Object.assign(ring, { [Symbol.asyncDispose]: () => ring.close() });
}

it('asks for every token in the same way, whether it opens something or not', async () => {
  const store = new Store();
  const good = store.make();
  const tokens = [
    good.secret,
    newSecret().secret,
    store.make({ revokedAt: new Date() }).secret,
    store.make({ expiresAt: new Date(Date.now() - 1) }).secret,
    good.secret.slice(0, -1).concat('_'),
    'sk-proj-of-another-vendor',
    'x',
  ];
  for (const token of tokens) {
    await using ring = ringOf(store);
    store.asked.length = 0;
    expect((await ring.authenticate(token))?.id ?? null).toBe(token === good.secret ? good.key.id : null);
    expect(store.asked).toEqual([[prefixOf(token)]]);
    expect(prefixOf(token)).toMatch(/^[0-9a-f]{12}$/);
  }
});

it('asks once for many requests, and once for all that ask meanwhile', async () => {
  const store = new Store();
  store.delayMs = 20;
  await using ring = ringOf(store, { freshMs: 60_000 });
  const { secret } = store.make();
  await Promise.all(Array.from({ length: 100 }, () => ring.authenticate(secret)));
  await ring.authenticate(secret);
  expect(store.asked.length).toBe(1);
  await Promise.all(Array.from({ length: 500 }, () => ring.authenticate(newSecret().secret)));
  expect(store.asked.length).toBeLessThanOrEqual(3);
});

it('forgets what it knew of a key after a moment: a revoked one opens nothing more', async () => {
  const store = new Store();
  await using ring = ringOf(store);
  const { secret, key } = store.make();
  expect(await ring.authenticate(secret)).not.toBeNull();
  store.revoke(key);
  await expect.poll(() => ring.authenticate(secret)).toBeNull();
});

it('looks at once when it is told that a key has changed', async () => {
  const store = new Store();
  await using ring = ringOf(store, { freshMs: 600_000 });
  const { secret, key } = store.make();
  await ring.authenticate(secret);
  store.revoke(key);
  ring.changed(key.prefix);
  expect(await ring.authenticate(secret)).toBeNull();
});

it('tells whoever holds a connection on every instance, once, and those of other keys nothing', async () => {
  const store = new Store();
  await using here = ringOf(store);
  await using there = ringOf(store);
  const [mine, other] = [store.make(), store.make()];
  const told: string[] = [];
  for (const [name, ring] of [
    ['here', here],
    ['there', there],
  ] as const) {
    ring.hold(mine.key, ({ code, message }) => told.push(`${name} ${code} ${message}`));
    ring.hold(other.key, () => told.push('the other'));
  }
  using gone = here.hold(mine.key, () => told.push('gone'));
  gone[Symbol.dispose]();
  store.revoke(mine.key);
  await expect.poll(() => told.length).toBe(2);
  await sleep(100);
  const why = `UNAUTHENTICATED The API key "app" (${mine.key.prefix}) was revoked: connect with another one.`;
  expect(told.toSorted()).toEqual([`here ${why}`, `there ${why}`]);
});

it('keeps connections while the database is away, and ends what expires all the same', async () => {
  const store = new Store();
  await using ring = ringOf(store);
  const [stays, expires] = [store.make(), store.make({ expiresAt: new Date(Date.now() + 150) })];
  const told: string[] = [];
  using _stays = ring.hold(stays.key, () => told.push('stays'));
  using _expires = ring.hold(expires.key, ({ message }) => told.push(message));
  store.isAway = true;
  await expect(ring.authenticate(stays.secret)).rejects.toThrow(/away/);
  await expect.poll(() => told).toEqual([expect.stringMatching(/has expired/)]);
  store.isAway = false;
  store.keys.delete(stays.key.prefix);
  await expect.poll(() => told.at(-1)).toBe('stays');
});

it('asks nothing when nobody holds a connection', async () => {
  const store = new Store();
  await using ring = ringOf(store);
  ring.hold(store.make().key, () => {})[Symbol.dispose]();
  await sleep(100);
  expect(store.asked).toEqual([]);
});

it('writes at its end which keys were used', async () => {
  const store = new Store();
  const ring = ringOf(store);
  const { secret, key } = store.make();
  await ring.authenticate(secret);
  await ring.authenticate(newSecret().secret);
  expect(store.uses).toEqual([]);
  await ring.close();
  expect(store.uses).toEqual([{ tenant: 'acme', id: key.id, at: expect.any(Date) }]);
});
