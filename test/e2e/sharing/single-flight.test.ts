import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configFile } from '../../helpers/config-file.ts';
import { startGatewayWithVendor, type TestGateway } from '../../helpers/gateway.ts';
import { processorWait } from '../../helpers/processor-wait.ts';
import type { Vendor } from '../../helpers/vendor/vendor.ts';
import { type ChatInput, chat, startTurn } from '../chat/turn.ts';
import {
  all,
  cancelOperation,
  isDelta,
  namesOf,
  openStream,
  runEventsOperation,
  runOf,
  textOf,
  until,
} from '../runs/streams.ts';

const opened = new AsyncDisposableStack();
let gateway: TestGateway;
let vendor: Vendor;

beforeAll(async () => {
  const config = opened.use(await configFile({ openai: { models: [{ name: 'shared-model', coalesce: true }] } }));
  ({ gateway, vendor } = opened.use(await startGatewayWithVendor({ environment: config.environment })));
});
afterAll(() => opened.disposeAsync());

const calls = () => vendor.calls('/chat/completions');
const spent = async () => {
  const report = '{ viewer { usage { total { inputTokens outputTokens calls } } } }';
  const { viewer } = await gateway.data<{ viewer: { usage: { total: Record<string, number> } } }, unknown>(report);
  return viewer.usage.total;
};

/** So many runs of one question that have all begun to write, and the gate before the third token. */
async function runsOf(input: ChatInput, count: number) {
  const message = `What is ${randomUUID()}?`;
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  vendor.next({ gates: [{ afterTokens: 2, opened }] });
  const before = calls().length;
  const runIds = await Promise.all(
    Array.from({ length: count }, () => startTurn(gateway, { message, store: false, ...input })),
  );
  const call = await vendor.waitForCall('/chat/completions', before + 1);
  await Promise.all(
    runIds.map((runId) => until(openStream(gateway, runEventsOperation, { runId })[Symbol.asyncIterator](), isDelta)),
  );
  return { runIds, call, open };
}

const hundred = () => runsOf({ temperature: 0 }, 100);

const cancel = (runIds: readonly string[]) =>
  Promise.all(runIds.map((runId) => gateway.data(cancelOperation, { runId })));
const follow = (runIds: readonly string[]) =>
  Promise.all(runIds.map((runId) => all(openStream(gateway, runEventsOperation, { runId }))));

describe('a hundred identical questions at once', () => {
  it('are one provider call; each run has its own log with the whole text, and the first one the cost', async () => {
    const [before, usageBefore] = [calls().length, await spent()];
    const { runIds, open } = await hundred();
    open();
    const logs = await follow(runIds);
    expect(calls().length - before).toBe(1);
    expect(new Set(logs.map(textOf)).size).toBe(1);
    expect(new Set(logs.map((events) => namesOf(events).join(' ')))).toEqual(
      new Set(['RunStarted TextMessageStarted TextMessageDelta TextMessageEnded RunFinished']),
    );
    expect(new Set(logs.flat().map(({ runId }) => runId)).size).toBe(100);
    const usages = logs.flatMap((events) => events.at(-1)?.usage ?? []).sort((one, other) => other.calls - one.calls);
    expect(usages.map(({ calls }) => calls)).toEqual([1, ...Array(99).fill(0)]);
    const after = await spent();
    expect((after['calls'] ?? 0) - (usageBefore['calls'] ?? 0)).toBe(1);
    expect((after['outputTokens'] ?? 0) - (usageBefore['outputTokens'] ?? 0)).toBe(usages[0]?.outputTokens);
  });

  it('go on when fifty of them are cancelled', async () => {
    const { runIds, call, open } = await hundred();
    await cancel(runIds.slice(0, 50));
    expect(call.closedAt).toBeNull();
    open();
    const logs = await follow(runIds.slice(50));
    expect(new Set(logs.map((events) => events.at(-1)?.__typename))).toEqual(new Set(['RunFinished']));
    expect(call).toMatchObject({ completed: true });
    const usages = await Promise.all(runIds.map(async (runId) => (await runOf(gateway, runId))?.usage.calls));
    expect(usages.slice(0, 50)).toEqual(Array(50).fill(0));
    expect(usages.slice(50).sort()).toEqual([...Array(49).fill(0), 1]);
  });

  it('end at the vendor within 200 ms once all of them are cancelled', async () => {
    const { runIds, call } = await hundred();
    await cancel(runIds.slice(1));
    expect(call.closedAt).toBeNull();
    const [cancelledAt, waitedMs] = [performance.timeOrigin + performance.now(), processorWait()];
    await cancel(runIds.slice(0, 1));
    const { closedAt, completed } = await vendor.waitForClose(call);
    expect((closedAt ?? Number.POSITIVE_INFINITY) - cancelledAt - waitedMs()).toBeLessThan(200);
    expect(completed).toBe(false);
    const usage = (await runOf(gateway, runIds[0] ?? ''))?.usage;
    expect(usage).toMatchObject({ calls: 1, estimated: true });
  });
});

describe('questions of a model that is configured to coalesce', () => {
  it('are shared at any temperature, those of another model are not', async () => {
    const before = calls().length;
    const shared = await runsOf({ model: 'shared-model' }, 3);
    expect(calls().length - before).toBe(1);
    shared.open();
    await follow(shared.runIds);
    const others = await Promise.all([1, 2, 3].map(() => chat(gateway, { message: 'Why?', store: false })));
    expect(others.map(({ usage }) => usage.calls)).toEqual([1, 1, 1]);
  });
});
