import { randomUUID } from 'node:crypto';
import { createClient as createEventClient } from 'graphql-sse';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createKey, revokeKey } from '../../helpers/api-keys.ts';
import { configFile } from '../../helpers/config-file.ts';
import { startGatewayWithVendor, type TestGateway } from '../../helpers/gateway.ts';
import { processorWait } from '../../helpers/processor-wait.ts';
import type { Vendor } from '../../helpers/vendor/vendor.ts';
import { agentInput, agUiUrl } from '../ag-ui/agent.ts';

const withinMs = 5_000;
const staticKey = 'the-static-key-of-this-test';
const opened = new AsyncDisposableStack();
let gateway: TestGateway;
let vendor: Vendor;
beforeAll(async () => {
  // What is still being said when the file ends need not be waited for.
  await using file = await configFile({ timeouts: { unwatchedGraceMs: 100, drainMs: 100 } });
  const environment = { ...file.environment, SLUICE_API_KEY: staticKey };
  ({ gateway, vendor } = opened.use(
    await startGatewayWithVendor({
      environment,
      // Longer than any test here waits.
      vendor: { defaults: { reply: 'word '.repeat(3_000), tokensPerSecond: 50 } },
    }),
  ));
});
afterAll(() => opened.disposeAsync());

const subscription = `subscription ($runId: UUID!, $policy: UnwatchedPolicy) {
  chat(input: { runId: $runId, message: "Go on and on.", whenUnwatched: $policy }) {
    __typename ... on TextMessageDelta { delta }
  }
}`;
const key = (wish: Partial<Parameters<typeof createKey>[1]> = {}) =>
  createKey(gateway, { scopes: ['CHAT'], ...wish }, staticKey);

async function timed<T>(wait: Promise<T>): Promise<{ readonly value: T; readonly ms: number }> {
  const [from, waitedMs] = [performance.now(), processorWait()];
  const value = await wait;
  return { value, ms: performance.now() - from - waitedMs() };
}

it('revocation closes a WebSocket with a code and a reason, and its run goes on', async () => {
  const { secret, id, prefix } = await key({ name: 'of the socket' });
  const socket = gateway.socket({ connectionParams: { authorization: `Bearer ${secret}` } });
  const closed = new Promise<unknown>((resolve) => socket.on('closed', resolve));
  const runId = randomUUID();
  const events = socket.iterate({ query: subscription, variables: { runId, policy: 'FINISH' } });
  await events.next();
  expect(await revokeKey(gateway, id, staticKey)).toBe(1);
  const { value, ms } = await timed(closed);
  expect(value).toMatchObject({
    code: 4403,
    reason: `FORBIDDEN: The API key "of the socket" (${prefix}) was revoked: connect with another one.`,
  });
  expect(ms).toBeLessThan(withinMs);
  await expect(drain(events)).rejects.toMatchObject({ code: 4403 });
  const again = gateway.socket({ connectionParams: { authorization: `Bearer ${secret}` } });
  await expect(again.iterate({ query: '{ viewer { tenant } }' }).next()).rejects.toMatchObject({ code: 4401 });
  expect(await statusOf(runId)).toBe('RUNNING');
  expect(await revokeKey(gateway, id, staticKey)).toBe(0);
});

it('a run that nobody follows any more because of it ends by its own policy', async () => {
  const { secret, id } = await key();
  const socket = gateway.socket({ connectionParams: { authorization: `Bearer ${secret}` } });
  const runId = randomUUID();
  const events = socket.iterate({ query: subscription, variables: { runId, policy: 'CANCEL' } });
  await events.next();
  await revokeKey(gateway, id, staticKey);
  await expect(drain(events)).rejects.toMatchObject({ code: 4403 });
  await expect.poll(() => statusOf(runId)).toBe('CANCELLED');
});

it('expiry closes a WebSocket too', async () => {
  const { secret } = await key({ expiresAt: new Date(Date.now() + 2_000).toISOString() });
  const socket = gateway.socket({ connectionParams: { authorization: `Bearer ${secret}` } });
  const events = socket.iterate({ query: subscription, variables: { runId: randomUUID(), policy: 'CANCEL' } });
  const { ms } = await timed(expect(drain(events)).rejects.toMatchObject({ code: 4403, reason: /has expired/ }));
  expect(ms).toBeLessThan(2_000 + withinMs);
});

it('a stream of server-sent events ends with an error event, not as if it were whole', async () => {
  const { headers, id } = await key();
  const body = JSON.stringify({ query: subscription, variables: { runId: randomUUID(), policy: 'CANCEL' } });
  const response = await fetch(gateway.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...headers },
    body,
  });
  expect(response.status).toBe(200);
  const text = textOf(response);
  await text.until(/"TextMessageDelta"/);
  await revokeKey(gateway, id, staticKey);
  const { value, ms } = await timed(text.whole());
  expect(ms).toBeLessThan(withinMs);
  const last = value.split('event: next').at(-1) ?? '';
  expect(last).toContain('"code":"UNAUTHENTICATED"');
  expect(last).toContain('was revoked');
});

it('a client of graphql-sse is told the same', async () => {
  const { headers, id } = await key();
  const client = createEventClient({ url: `${gateway.url}/stream`, headers, retryAttempts: 0 });
  const events = client.iterate({ query: subscription, variables: { runId: randomUUID(), policy: 'CANCEL' } });
  await events.next();
  await revokeKey(gateway, id, staticKey);
  const errors: unknown[] = [];
  for await (const result of events) errors.push(...(result.errors ?? []));
  expect(errors).toEqual([
    expect.objectContaining({ extensions: expect.objectContaining({ code: 'UNAUTHENTICATED' }) }),
  ]);
});

it('a request that waits for its reply is told so in its answer', async () => {
  const { headers, id } = await key();
  const runId = randomUUID();
  const waiting = gateway.request(
    `mutation { startChat(input: { runId: "${runId}", message: "Go on.", whenUnwatched: CANCEL }) { run { finished { status } } } }`,
    {},
    { headers },
  );
  await expect.poll(() => statusOf(runId)).toBe('RUNNING');
  await revokeKey(gateway, id, staticKey);
  const { value, ms } = await timed(waiting);
  expect(value.errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
  expect(ms).toBeLessThan(withinMs);
});

it('AG-UI ends with RUN_ERROR', async () => {
  const { headers, id } = await key();
  const response = await fetch(agUiUrl(gateway), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(agentInput('Go on and on.', { threadId: randomUUID() })),
  });
  const text = textOf(response);
  await text.until(/TEXT_MESSAGE_CONTENT/);
  await revokeKey(gateway, id, staticKey);
  const last = (await text.whole()).trim().split('\n').at(-1) ?? '';
  expect(JSON.parse(last.replace(/^data: /, ''))).toMatchObject({ type: 'RUN_ERROR', code: 'UNAUTHENTICATED' });
});

it('what is left open is not told by others: one key ends, the other goes on', async () => {
  const [mine, theirs] = [await key(), await key()];
  const follow = ({ secret }: { readonly secret: string }) =>
    gateway
      .socket({ connectionParams: { authorization: `Bearer ${secret}` } })
      .iterate({ query: subscription, variables: { runId: randomUUID(), policy: 'CANCEL' } });
  const [left, stays] = [follow(mine), follow(theirs)];
  await Promise.all([left.next(), stays.next()]);
  await revokeKey(gateway, mine.id, staticKey);
  await expect(drain(left)).rejects.toMatchObject({ code: 4403 });
  for (let event = 0; event < 20; event++) expect((await stays.next()).done).toBe(false);
  await stays.return?.();
  expect(vendor.calls().length).toBeGreaterThan(0);
});

async function statusOf(runId: string): Promise<string | undefined> {
  const query = 'query ($runId: UUID!) { run(runId: $runId) { status } }';
  const headers = { authorization: `Bearer ${staticKey}` };
  const { data } = await gateway.request<{ run: { status: string } | null }, unknown>(query, { runId }, { headers });
  return data?.run?.status;
}

async function drain(events: AsyncIterable<unknown>): Promise<void> {
  for await (const _event of events);
}

/** A body as it comes. */
function textOf(response: Response) {
  let text = '';
  const decoder = new TextDecoder();
  const reader = response.body?.getReader();
  const read = async (): Promise<boolean> => {
    const chunk = await reader?.read();
    if (chunk === undefined || chunk.done) return false;
    text += decoder.decode(chunk.value, { stream: true });
    return true;
  };
  return {
    async until(pattern: RegExp): Promise<void> {
      while (!pattern.test(text)) if (!(await read())) throw new Error(`the stream ended: ${text}`);
    },
    async whole(): Promise<string> {
      while (await read());
      return text;
    },
  };
}
