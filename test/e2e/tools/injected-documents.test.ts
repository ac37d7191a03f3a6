import { afterAll, beforeAll, expect, it } from 'vitest';
import { ingest, startGatewayWithVendor, type TestGateway } from '../../helpers/gateway.ts';
import type { Vendor } from '../../helpers/vendor/vendor.ts';
import { chat } from '../chat/turn.ts';
import { injections, waysOut } from './injections.ts';

const opened = new AsyncDisposableStack();
let gateway: TestGateway;
let vendor: Vendor;

beforeAll(async () => {
  ({ gateway, vendor } = opened.use(await startGatewayWithVendor()));
  const documents = injections.map(({ text }, n) => ({
    externalId: `${n}`,
    text: `Otters swim.\n\n${text}`,
    metadata: { n },
  }));
  await ingest(gateway, documents);
});
afterAll(() => opened.disposeAsync());

it(`no tool is called and no foreign link gets out, whatever ${injections.length} documents say and a model obeys`, async () => {
  const turns = injections.map(async ({ says, calls, text }, n) => {
    const toolCalls = calls.map(({ tool: name, arguments: args }) => ({ name, arguments: args }));
    const stop = vendor.when((call) => JSON.stringify(call.body).includes(`Question ${n}.`), {
      reply: says,
      toolCalls,
    });
    const retrieval = { first: 1, filter: { field: 'n', equals: n } };
    const turn = await chat(gateway, { message: `Question ${n}. What do otters do?`, retrieval });
    stop();
    return { turn, text };
  });
  for (const { turn, text } of await Promise.all(turns)) {
    expect([text, turn.status, turn.error]).toEqual([text, 'SUCCEEDED', null]);
    expect([text, turn.eventNames.filter((name) => name.startsWith('ToolCall'))]).toEqual([text, []]);
    expect([text, waysOut(turn.text), waysOut(turn.reply?.text ?? '')]).toEqual([text, [], []]);
  }
  // The model was sent all of them, each within its fence, and was given no tools.
  const prompts = vendor.calls('/chat/completions').map(({ body }) => JSON.stringify(body));
  expect(prompts.length).toBe(injections.length);
  for (const prompt of prompts) {
    expect(prompt).toMatch(/<(data-\w{20}) from=\\"documents\\">.*<\/\1>/);
    expect(prompt).not.toContain('"tools"');
  }
});
