import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { configFile } from '../../helpers/config-file.ts';
import { startGateway, type TestGateway } from '../../helpers/gateway.ts';
import { startVendor, type Vendor } from '../../helpers/vendor/vendor.ts';

const opened = new AsyncDisposableStack();
/** Its default chat model is a route over the models `first` of a vendor a and `second` of a vendor b. */
let gateway: TestGateway;
let a: Vendor;
let b: Vendor;
beforeAll(async () => {
  a = opened.use(await startVendor());
  b = opened.use(await startVendor());
  await using file = await configFile({
    providers: {
      a: { baseUrl: a.url, models: [{ name: 'first', maxOutputTokens: 50 }] },
      b: { baseUrl: b.url, models: [{ name: 'second', maxOutputTokens: 100 }] },
    },
    routes: {
      smart: {
        targets: [
          { provider: 'a', model: 'first' },
          { provider: 'b', model: 'second' },
        ],
        midStreamFallback: true,
      },
    },
    chatModel: 'smart',
  });
  gateway = opened.use(await startGateway({ environment: file.environment }));
});
afterAll(() => opened.disposeAsync());

interface ChatEvent {
  readonly chat: { readonly __typename: string; readonly delta?: string; readonly reason?: string };
}

const chat = `subscription RouteChat($input: StartChatInput!) {
  chat(input: $input) { __typename ... on TextMessageDelta { delta } ... on TextMessageReset { reason } }
}`;
const reply = `mutation RouteReply($input: StartChatInput!) {
  startChat(input: $input) { run { finished { status reply { text model } error { code message } usage { calls } } } }
}`;

test('a reply that breaks off is begun again by the next model of its route, and only that one’s text is kept', async () => {
  a.next({ reply: 'This one will never end', cutAfter: 3 });
  b.next({ reply: 'All is well.' });
  const runId = randomUUID();
  const events: ChatEvent['chat'][] = [];
  for await (const event of gateway.subscribe<ChatEvent, unknown>(chat, { input: { runId, message: 'Well?' } })) {
    events.push(event.chat);
  }
  const reset = events.findIndex(({ __typename }) => __typename === 'TextMessageReset');
  const textOf = (some: readonly ChatEvent['chat'][]) => some.map(({ delta }) => delta ?? '').join('');
  expect(textOf(events.slice(0, reset))).toBe('This one will');
  expect(events[reset]?.reason).toBe('first (a) broke off; second (b) begins again.');
  expect(textOf(events.slice(reset))).toBe('All is well.');
  const again = await gateway.data(reply, { input: { runId, message: 'Well?' } });
  expect(again).toMatchObject({
    startChat: {
      run: { finished: { status: 'SUCCEEDED', reply: { text: 'All is well.', model: 'second' }, usage: { calls: 2 } } },
    },
  });
});

test('a message says which model of the route has answered', async () => {
  a.next({ status: 500 });
  const answer = await gateway.data(reply, { input: { runId: randomUUID(), message: 'Well?' } });
  expect(answer).toMatchObject({
    startChat: { run: { finished: { status: 'SUCCEEDED', reply: { model: 'second' } } } },
  });
});

test('a name that nobody has, and more output than a model writes, are refused before anything is spent', async () => {
  const asked = () => [a, b].map((vendor) => vendor.calls('/chat/completions').length);
  const before = asked();
  const refusal = async (input: object) =>
    (await gateway.request(reply, { input: { runId: randomUUID(), message: 'Well?', ...input } })).errors?.[0];
  expect(await refusal({ model: 'smrt' })).toMatchObject({
    message: expect.stringContaining('the nearest name is "smart"'),
    extensions: { code: 'BAD_INPUT' },
  });
  expect(await refusal({ maxOutputTokens: 101 })).toMatchObject({
    message: expect.stringContaining('maxOutputTokens must be 1–100, what smart writes at most, got 101'),
    extensions: { code: 'BAD_INPUT' },
  });
  expect(await refusal({ model: 'a/first', maxOutputTokens: 51 })).toMatchObject({ extensions: { code: 'BAD_INPUT' } });
  expect(asked()).toEqual(before);
});

test('models lists those of all providers, with the routes that lead to them', async () => {
  const { models } = await gateway.data<{ models: readonly object[] }, unknown>('{ models { name provider routes } }');
  expect(models).toContainEqual({ name: 'first', provider: 'a', routes: ['smart'] });
  expect(models).toContainEqual({ name: 'second', provider: 'b', routes: ['smart'] });
  expect(models).toContainEqual({ name: 'extractive', provider: 'local', routes: [] });
});
