import { afterAll, beforeAll, expect, test } from 'vitest';
import { createKey } from '../../helpers/api-keys.ts';
import { bounded, type Started, startChat, startLimited } from './setup.ts';

let limited: Awaited<ReturnType<typeof startLimited>>;
let keeper: string;
beforeAll(async () => {
  limited = await startLimited({ tokensPerMinute: 1_000_000, budgetUsdPerDay: 2 });
  ({ secret: keeper } = await createKey(limited.gateway, { scopes: ['ADMIN', 'CHAT', 'SEARCH'] }));
});
afterAll(() => limited[Symbol.asyncDispose]());

const all = { scopes: ['CHAT', 'SEARCH'] } as const;

async function chat(headers: Readonly<Record<string, string>>) {
  const { data, errors } = await limited.gateway.request<Started, unknown>(
    startChat,
    { input: bounded('hello there') },
    { headers },
  );
  if (!data) throw new Error(JSON.stringify(errors));
  return data.startChat.run.finished;
}

test("a key's budget is its own: it names the key, and no other key suffers from it", async () => {
  const other = await createKey(limited.gateway, all, keeper);
  const { usage } = await chat(other.headers);
  const worst = (usage.inputTokens + 3 + 5) / 1e6;
  const poor = await createKey(limited.gateway, { ...all, name: 'poor', limits: { budgetUsdPerDay: worst } }, keeper);
  expect(await chat(poor.headers)).toMatchObject({ status: 'SUCCEEDED' });
  expect((await chat(poor.headers)).error).toMatchObject({
    code: 'BUDGET_EXCEEDED',
    message: expect.stringMatching(/^key "poor" has a budget of \$/),
  });
  expect(await chat(other.headers)).toMatchObject({ status: 'SUCCEEDED' });
});

test("a key's requests a minute are its own, and viewer shows the tighter of its limits and the tenant's", async () => {
  const limits = { requestsPerMinute: 1, tokensPerMinute: 5_000_000, maxConcurrentRuns: 3 };
  const hasty = await createKey(limited.gateway, { ...all, limits }, keeper);
  const query = '{ viewer { limits { requestsPerMinute tokensPerMinute budgetUsdPerDay maxConcurrentRuns } } }';
  expect(await limited.gateway.request(query, {}, { headers: hasty.headers })).toEqual({
    data: {
      viewer: {
        limits: { requestsPerMinute: 1, tokensPerMinute: 1_000_000, budgetUsdPerDay: 2, maxConcurrentRuns: 3 },
      },
    },
  });
  const again = await limited.gateway.request(query, {}, { headers: hasty.headers });
  expect(again.errors?.[0]).toMatchObject({ extensions: { code: 'RATE_LIMITED', limit: 1 } });
  const other = await createKey(limited.gateway, all, keeper);
  expect((await limited.gateway.request(query, {}, { headers: other.headers })).errors).toBeUndefined();
});
