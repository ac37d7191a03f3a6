import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Scope } from '../../../core/contracts/api-key-store.ts';
import { createKey, createKeyMutation, revokeKey } from '../../helpers/api-keys.ts';
import { type GraphQLResult, startGatewayWithVendor, type TestGateway } from '../../helpers/gateway.ts';
import type { Vendor } from '../../helpers/vendor/vendor.ts';
import { agentInput, agUiUrl } from '../ag-ui/agent.ts';

const staticKey = 'the-static-key-of-this-test';
const opened = new AsyncDisposableStack();
let gateway: TestGateway;
let vendor: Vendor;
beforeAll(async () => {
  const environment = { SLUICE_API_KEY: staticKey };
  ({ gateway, vendor } = opened.use(await startGatewayWithVendor({ environment })));
});
afterAll(() => opened.disposeAsync());

const withKey = <T>(secret: string, query: string, variables = {}): Promise<GraphQLResult<T>> =>
  gateway.request<T, object>(query, variables, { headers: { authorization: `Bearer ${secret}` } });
const make = (scopes: readonly Scope[], wish = {}) => createKey(gateway, { scopes, ...wish }, staticKey);

describe('a key', () => {
  it('opens its own tenant, and the viewer shows what it may', async () => {
    const limits = { requestsPerMinute: 600, budgetUsdPerDay: 1.5 };
    const { secret } = await make(['SEARCH', 'CHAT'], { name: 'web app', tenant: 'acme', limits });
    const query = `{ viewer {
      tenant keyName scopes limits { requestsPerMinute tokensPerMinute budgetUsdPerDay maxConcurrentRuns }
    } }`;
    expect((await withKey(secret, query)).data).toEqual({
      viewer: {
        tenant: 'acme',
        keyName: 'web app',
        scopes: ['SEARCH', 'CHAT'],
        limits: { ...limits, tokensPerMinute: null, maxConcurrentRuns: 512 },
      },
    });
  });

  it('is known to lists without its secret, and by when it was used last', async () => {
    const tenant = `tenant-${randomUUID()}`;
    const keeper = await make(['ADMIN'], { tenant, name: 'keeper' });
    const input = { name: 'app', scopes: ['CHAT', 'CHAT'] };
    const { data } = await withKey<{ createApiKey: { secret: string } }>(keeper.secret, createKeyMutation, { input });
    const secret = data?.createApiKey.secret ?? '';
    expect(secret).toMatch(/^sk-sluice-[0-9a-f]{12}-[\w-]{43}$/);
    const listed = await withKey(
      keeper.secret,
      '{ apiKeys { edges { node { name tenant prefix scopes revokedAt } } } }',
    );
    expect(JSON.stringify(listed)).not.toContain(secret.slice(-43));
    expect(listed.data).toMatchObject({
      apiKeys: {
        edges: [
          { node: { name: 'app', tenant, prefix: secret.split('-')[2], scopes: ['CHAT'], revokedAt: null } },
          { node: { name: 'keeper' } },
        ],
      },
    });
  });

  it.each([
    ['unknown', async () => `sk-sluice-${'0'.repeat(12)}-${'a'.repeat(43)}`],
    ['malformed', async () => 'sk-sluice-'],
    ['of another vendor', async () => 'sk-proj-0123456789abcdefghijklmn'],
    ['right but for its last letter', async () => (await make(['CHAT'])).secret.slice(0, -1).concat('_')],
    [
      'revoked',
      async () => {
        const { secret, id } = await make(['CHAT']);
        await withKey(secret, '{ viewer { tenant } }');
        await revokeKey(gateway, id, staticKey);
        return secret;
      },
    ],
  ])('that is %s gets the one answer', async (_name, secretOf) => {
    const response = await fetch(gateway.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${await secretOf()}` },
      body: '{"query":"{ viewer { tenant } }"}',
    });
    expect(response.status).toBe(401);
    expect(await response.json()).toEqual({
      errors: [
        {
          message: 'This gateway needs a key: send the header Authorization: Bearer <key>.',
          extensions: { code: 'UNAUTHENTICATED', retryable: false },
        },
      ],
    });
  });

  it('that has expired gets it too', async () => {
    const { secret } = await make(['CHAT'], { expiresAt: new Date(Date.now() + 1_500).toISOString() });
    await expect
      .poll(async () => (await withKey(secret, '{ viewer { tenant } }')).errors?.[0]?.extensions.code)
      .toBe('UNAUTHENTICATED');
  });
});

describe('a scope that is missing', () => {
  const refused: readonly (readonly [string, Scope, RegExp])[] = [
    ['{ search(query: "lamp") { nodes { id } } }', 'CHAT', /the scope SEARCH/],
    ['{ embedding(text: "lamp") { tokens } }', 'CHAT', /the scope SEARCH/],
    ['{ collections { edges { cursor } } }', 'CHAT', /one of the scopes SEARCH, INGEST/],
    ['{ conversations { edges { cursor } } }', 'SEARCH', /the scope CHAT/],
    ['{ runs { edges { cursor } } }', 'SEARCH', /one of the scopes CHAT, AGENT, INGEST/],
    ['{ agents { name } }', 'CHAT', /the scope AGENT/],
    ['mutation { startAgent(input: { agent: "assistant", goal: "?" }) { run { id } } }', 'CHAT', /the scope AGENT/],
    [
      'mutation { startAgent(input: { agent: "assistant", goal: "?", conversationId: "x" }) { run { id } } }',
      'AGENT',
      /the scope CHAT/,
    ],
    ['{ runs(kind: CHAT) { edges { cursor } } }', 'INGEST', /the scope CHAT/],
    ['{ apiKeys { edges { cursor } } }', 'CHAT', /one of the scopes ADMIN, OPERATOR/],
    ['mutation { startChat(input: { message: "Hello?" }) { run { id } } }', 'SEARCH', /the scope CHAT/],
    ['mutation { createCollection(input: { name: "x" }) { collection { id } } }', 'SEARCH', /the scope INGEST/],
    ['mutation { createApiKey(input: { name: "x", scopes: [CHAT] }) { secret } }', 'CHAT', /ADMIN, OPERATOR/],
  ];

  let calls: number;
  beforeAll(() => {
    calls = vendor.calls().length;
  });

  it.each(refused)('%s is refused, and names it', async (query, scope, message) => {
    const { secret } = await make([scope]);
    const { errors } = await withKey(secret, query);
    expect(errors).toMatchObject([{ message: expect.stringMatching(message), extensions: { code: 'FORBIDDEN' } }]);
  });

  it('costs nothing: no provider was asked', () => {
    expect(vendor.calls().length).toBe(calls);
  });

  it('leaves the other fields of the operation whole', async () => {
    const { secret } = await make(['CHAT']);
    const { data, errors } = await withKey(secret, '{ viewer { tenant } search(query: "x") { nodes { id } } }');
    expect(data).toEqual({ viewer: { tenant: 'default' }, search: null });
    expect(errors).toHaveLength(1);
  });

  it('is told before the first event of a subscription, over WebSocket and server-sent events', async () => {
    const { secret, headers } = await make(['SEARCH']);
    const query = 'subscription { chat(input: { message: "Hello?" }) { __typename } }';
    const socket = gateway.socket({ connectionParams: { authorization: `Bearer ${secret}` } });
    const error = await socket
      .iterate({ query })
      .next()
      .then(
        ({ value }) => value.errors,
        (thrown: unknown) => thrown,
      );
    expect(error).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    const response = await fetch(gateway.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...headers },
      body: JSON.stringify({ query }),
    });
    const text = await response.text();
    expect(text).toContain('"code":"FORBIDDEN"');
    expect(text).not.toContain('RunStarted');
    expect(vendor.calls('/chat/completions')).toEqual([]);
  });

  it('is told by AG-UI as HTTP 403', async () => {
    const { headers } = await make(['SEARCH']);
    const response = await fetch(agUiUrl(gateway), {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(agentInput('Hello?')),
    });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' } }] });
  });

  it('hides runs of a kind: a key that ingests does not see chats', async () => {
    const tenant = `tenant-${randomUUID()}`;
    const [chats, ingests] = [await make(['CHAT'], { tenant }), await make(['INGEST'], { tenant })];
    const start = await withKey<{ startChat: { run: { runId: string } } }>(
      chats.secret,
      'mutation { startChat(input: { message: "Hello?" }) { run { runId finished { status } } } }',
    );
    const runId = start.data?.startChat.run.runId;
    for (const query of [
      'query ($runId: UUID!) { run(runId: $runId) { status } }',
      'mutation ($runId: UUID!) { cancelRun(runId: $runId) { run { status } } }',
    ]) {
      const { errors } = await withKey(ingests.secret, query, { runId });
      expect(errors).toMatchObject([{ message: expect.stringMatching(/CHAT/), extensions: { code: 'FORBIDDEN' } }]);
    }
    const list = '{ runs { edges { node { runId } } } }';
    expect((await withKey(ingests.secret, list)).data).toEqual({ runs: { edges: [] } });
    expect((await withKey(chats.secret, list)).data).toEqual({ runs: { edges: [{ node: { runId } }] } });
    const socket = gateway.socket({ connectionParams: { authorization: `Bearer ${ingests.secret}` } });
    const follow = socket.iterate({
      query: 'subscription ($runId: UUID!) { runEvents(runId: $runId) { __typename } }',
      variables: { runId },
    });
    const told = await follow.next().then(
      ({ value }) => value.errors,
      (thrown: unknown) => thrown,
    );
    expect(told).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  });
});

describe('making a key', () => {
  it.each([
    [{ name: ' ', scopes: ['CHAT'] }, /^name must be 1–100 characters/],
    [{ name: 'x'.repeat(101), scopes: ['CHAT'] }, /^name must be .*\(101 characters\)/],
    [{ name: 'x', scopes: [] }, /^scopes must name at least one scope, got none/],
    [{ name: 'x', scopes: ['CHAT'], tenant: 'a b' }, /^tenant must be .*got "a b"/],
    [{ name: 'x', scopes: ['CHAT'], expiresAt: '2001-01-01T00:00:00Z' }, /^expiresAt must be in the future, got 2001-/],
    [{ name: 'x', scopes: ['CHAT'], limits: { requestsPerMinute: 0 } }, /^limits\.requestsPerMinute .* got 0/],
    [{ name: 'x', scopes: ['CHAT'], limits: { budgetUsdPerDay: -1 } }, /^limits\.budgetUsdPerDay .* got -1/],
  ])('says what is wrong with %j', async (input, message) => {
    const { errors } = await withKey(staticKey, createKeyMutation, { input });
    expect(errors).toMatchObject([{ message: expect.stringMatching(message), extensions: { code: 'BAD_INPUT' } }]);
  });

  it('an admin cannot reach beyond its tenant, nor make an operator; an operator can', async () => {
    const tenant = `tenant-${randomUUID()}`;
    const admin = await make(['ADMIN'], { tenant });
    const forbidden = [
      [{ name: 'x', scopes: ['CHAT'], tenant: 'default' }, /another tenant/],
      [{ name: 'x', scopes: ['OPERATOR'] }, /OPERATOR/],
    ] as const;
    for (const [input, message] of forbidden) {
      const { errors } = await withKey(admin.secret, createKeyMutation, { input });
      expect(errors).toMatchObject([{ message: expect.stringMatching(message), extensions: { code: 'FORBIDDEN' } }]);
    }
    const operator = await make(['OPERATOR']);
    const theirs = await createKey(gateway, { scopes: ['CHAT'], tenant }, operator.secret);
    expect(await revokeKey(gateway, theirs.id, operator.secret)).toBe(1);
    const list = 'query ($tenant: String) { apiKeys(tenant: $tenant) { edges { node { tenant } } } }';
    expect(JSON.stringify(await withKey(operator.secret, list, { tenant }))).toContain(tenant);
  });

  it('refuses a name that is taken', async () => {
    await make(['CHAT'], { name: 'taken' });
    const { errors } = await withKey(staticKey, createKeyMutation, { input: { name: 'taken', scopes: ['CHAT'] } });
    expect(errors).toMatchObject([{ message: expect.stringMatching(/"taken"/), extensions: { code: 'CONFLICT' } }]);
  });
});
