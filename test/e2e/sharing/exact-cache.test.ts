import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configFile } from '../../helpers/config-file.ts';
import { ingest, startGatewayWithVendor, type TestGateway } from '../../helpers/gateway.ts';
import type { Vendor } from '../../helpers/vendor/vendor.ts';
import { chat, type Turn } from '../chat/turn.ts';

const opened = new AsyncDisposableStack();
let gateway: TestGateway;
let vendor: Vendor;

beforeAll(async () => {
  const models = [{ name: 'gpt-4.1-mini', cache: { ttlMs: 600_000 } }, { name: 'uncached' }];
  const config = opened.use(await configFile({ openai: { models } }));
  ({ gateway, vendor } = opened.use(await startGatewayWithVendor({ environment: config.environment })));
  await ingest(gateway, [{ externalId: 'otter', text: 'Otters hold hands while they sleep. They eat sea urchins.' }]);
});
afterAll(() => opened.disposeAsync());

/** A run's events without what is its own; how deltas were cut is a matter of time. */
const shape = ({ events, text, cited }: Turn) => ({
  names: events.map(({ __typename }) => __typename).filter((name, at, all) => name !== all[at - 1]),
  text,
  cited: cited.map(({ number, quote, title }) => ({ number, quote, title })),
});

describe('a model whose replies are kept', () => {
  it('answers the same question with the same events, and no call', async () => {
    const input = { message: `How do otters sleep? ${randomUUID()}`, retrieval: { first: 2 } };
    const before = vendor.calls('/chat/completions').length;
    const first = await chat(gateway, input);
    const second = await chat(gateway, input);
    expect(first.cited.length).toBeGreaterThan(0);
    expect(shape(second)).toEqual(shape(first));
    expect(second.reply).toMatchObject({ text: first.reply?.text, finishReason: 'STOP', model: 'gpt-4.1-mini' });
    expect(first.reply?.usage?.calls, 'the embedding of the question, and the chat').toBe(2);
    expect(second.reply?.usage).toMatchObject({ calls: 0, costUsd: 0, inputTokens: 0, outputTokens: 0 });
    expect(vendor.calls('/chat/completions').length - before).toBe(1);
  });

  it('is not one that is not configured so', async () => {
    const input = { message: `What is ${randomUUID()}?`, model: 'uncached' };
    await chat(gateway, input);
    expect((await chat(gateway, input)).usage.calls).toBe(1);
  });
});
