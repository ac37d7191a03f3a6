import { randomUUID } from 'node:crypto';
import type { Message } from '@ag-ui/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configFile } from '../../helpers/config-file.ts';
import { temporaryDataDirectory } from '../../helpers/embedded-database.ts';
import { startGateway, startGatewayWithVendor, type TestGateway } from '../../helpers/gateway.ts';
import { startVendor, type Vendor } from '../../helpers/vendor/vendor.ts';
import { findRun } from '../chat/turn.ts';
import { agentInput, type Frame, frames, post, refusalOf, typesOf, userMessage, verified } from './agent.ts';

const opened = new AsyncDisposableStack();
let gateway: TestGateway;
let vendor: Vendor;
beforeAll(async () => {
  ({ gateway, vendor } = opened.use(await startGatewayWithVendor()));
});
afterAll(() => opened.disposeAsync());

const eventsOf = (received: readonly Frame[]) => received.map(({ event }) => event);
const resumedAt = (id: string | undefined) => ({ headers: { 'last-event-id': id ?? '' } });

/** A body for a model of its own, and what that model answers. */
function bodyMeeting(behaviour: Parameters<Vendor['when']>[1], input: Readonly<Record<string, unknown>> = {}) {
  const model = `model-${randomUUID()}`;
  vendor.when(({ body }) => (body as { model?: string } | null)?.model === model, behaviour);
  const forwardedProps = { model, ...(input['forwardedProps'] as object | undefined) };
  return agentInput('Why?', { ...input, forwardedProps });
}

describe('a stream that was cut', () => {
  test('goes on after Last-Event-ID in mid-message, with every piece of the text once', async () => {
    const reply = 'The moon pulls the water up, and the earth turns below it. '.repeat(4);
    const body = bodyMeeting({ reply, tokensPerSecond: 30 }, { forwardedProps: { whenUnwatched: 'FINISH' } });
    const before = await frames(gateway, body, {
      cutAt: ({ event }) => event.type === 'TEXT_MESSAGE_CONTENT',
    });
    const rest = await frames(gateway, body, resumedAt(before.at(-1)?.id));
    expect(typesOf(eventsOf(rest)).slice(0, 3)).toEqual(['RUN_STARTED', 'TEXT_MESSAGE_START', 'TEXT_MESSAGE_CONTENT']);
    expect(rest.at(-1)?.event.type).toBe('RUN_FINISHED');
    expect(deltasIn(before, 'TEXT_MESSAGE_CONTENT') + deltasIn(rest, 'TEXT_MESSAGE_CONTENT')).toBe(reply);
    await verified(eventsOf(before));
    await verified(eventsOf(rest));
    expect(vendor.calls().filter(({ body: sent }) => isFor(sent, body))).toHaveLength(1);
  });

  test('goes on wherever it was cut, and what it repeats has the id that was sent', async () => {
    const reply = 'The moon does it.';
    const body = bodyMeeting({ reasoning: 'Moon or sun?', reply, tokensPerSecond: 40 });
    const whole = await frames(gateway, body);
    await verified(eventsOf(whole));
    expect(new Set(whole.map(({ id }) => id)).size).toBeGreaterThan(4);
    for (const [index, { id }] of whole.entries()) {
      const seen = whole.slice(0, index + 1);
      const rest = await frames(gateway, body, resumedAt(id));
      await verified(eventsOf(rest));
      expect(rest[0]).toMatchObject({ id, event: { type: 'RUN_STARTED' } });
      expect(rest.at(-1)?.event.type).toBe('RUN_FINISHED');
      for (const type of ['TEXT_MESSAGE_CONTENT', 'REASONING_MESSAGE_CONTENT']) {
        expect(deltasIn(seen, type) + deltasIn(rest, type)).toBe(deltasIn(whole, type));
      }
      const news = rest.filter((frame) => frame.id !== id);
      expect(news).toEqual(whole.slice(whole.length - news.length));
    }
  });

  test('ends at once when its end had come', async () => {
    const body = bodyMeeting({ reply: 'The moon.' });
    const whole = await frames(gateway, body);
    const rest = await frames(gateway, body, resumedAt(whole.at(-1)?.id));
    expect(typesOf(eventsOf(rest))).toEqual(['RUN_STARTED', 'RUN_FINISHED']);
    expect(rest.at(-1)?.event).toMatchObject({ result: whole.at(-1)?.event['result'] });
  });

  test('is found by a run id that is no UUID, and by the same id in another thread it is not', async () => {
    const messages = [userMessage('Why?')];
    const first = bodyMeeting({ reply: 'The moon.' }, { runId: 'run-1', threadId: 'one', messages });
    const before = await frames(gateway, first);
    const again = await frames(gateway, first);
    expect(eventsOf(again).map(withoutTime)).toEqual(eventsOf(before).map(withoutTime));
    const other = await frames(gateway, { ...first, threadId: 'two' });
    expect(other[0]?.event).toMatchObject({ runId: 'run-1', threadId: 'two' });
    expect(graphRunIdOf(other)).not.toBe(graphRunIdOf(before));
    expect(graphRunIdOf(before)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(await findRun(gateway, graphRunIdOf(before))).toMatchObject({ status: 'SUCCEEDED' });
    expect(vendor.calls().filter(({ body }) => isFor(body, first))).toHaveLength(2);
  });

  test('of another input under the same run id is CONFLICT', async () => {
    const body = bodyMeeting({ reply: 'The moon.' });
    await frames(gateway, body);
    const refused = await refusalOf(await post(gateway, { ...body, messages: [userMessage('Why not?')] }));
    expect(refused).toMatchObject({ status: 409, code: 'CONFLICT' });
  });

  test('after an id of another run is BAD_INPUT, and costs no generation', async () => {
    const body = bodyMeeting({ reply: 'The moon.' });
    const [, begun] = await frames(gateway, body);
    const calls = vendor.calls().length;
    const other = { ...body, runId: randomUUID() };
    const refused = await refusalOf(await post(gateway, other, resumedAt(begun?.id)));
    expect(refused).toMatchObject({
      status: 400,
      code: 'BAD_INPUT',
      message: expect.stringContaining('Last-Event-ID'),
    });
    expect(vendor.calls()).toHaveLength(calls);
  });
});

describe('when the gateway', () => {
  test('has lost the log, the client still has the saved reply in the end', async () => {
    await using started = new AsyncDisposableStack();
    const ofVendor = started.use(await startVendor({ defaults: { reply: 'The moon does it.' } }));
    const dataDir = started.use(await temporaryDataDirectory()).path;
    const body = agentInput('Why?');
    const notStored = agentInput('Why?', { forwardedProps: { store: false } });
    const first = await startGateway({ vendor: ofVendor, dataDir });
    const whole = await frames(first, body);
    const wholeNotStored = await frames(first, notStored);
    await first.close();

    const second = started.use(await startGateway({ vendor: ofVendor, dataDir }));
    const opening = whole.find(({ event }) => event.type === 'TEXT_MESSAGE_START');
    for (const id of [undefined, opening?.id, whole.at(-1)?.id]) {
      const rest = await frames(second, body, resumedAt(id));
      await verified(eventsOf(rest));
      expect(typesOf(eventsOf(rest))).toEqual(['RUN_STARTED', 'MESSAGES_SNAPSHOT', 'RUN_FINISHED']);
      expect(rest[1]?.event['messages']).toMatchObject([
        ...(body['messages'] as Message[]),
        { role: 'assistant', content: 'The moon does it.' },
      ]);
    }
    const gone = await refusalOf(await post(second, notStored, resumedAt(wholeNotStored.at(-1)?.id)));
    expect(gone).toMatchObject({ status: 404, code: 'NOT_FOUND' });
    expect(ofVendor.calls('/chat/completions')).toHaveLength(2);
  });

  test('stops, the stream ends in an error that says to come again', async () => {
    await using started = new AsyncDisposableStack();
    const { environment } = started.use(await configFile({ timeouts: { drainMs: 50 } }));
    const stopping = started.use(
      await startGatewayWithVendor({
        environment,
        vendor: { defaults: { reply: 'word '.repeat(5_000), tokensPerSecond: 50 } },
      }),
    );
    let closing: Promise<void> | undefined;
    const received = await frames(stopping.gateway, agentInput('Why?'), {
      onFrame: ({ event }) => {
        if (event.type === 'TEXT_MESSAGE_CONTENT') closing ??= stopping.gateway.close();
      },
    });
    await closing;
    await verified(eventsOf(received));
    expect(received.at(-1)?.event).toMatchObject({
      type: 'RUN_ERROR',
      code: 'UPSTREAM_UNAVAILABLE',
      metadata: { sluice: { retryable: true } },
    });
  });
});

function isFor(sent: unknown, body: Readonly<Record<string, unknown>>): boolean {
  const { model } = body['forwardedProps'] as { model: string };
  return (sent as { model?: string } | null)?.model === model;
}

function graphRunIdOf(received: readonly Frame[]): string {
  const metadata = received[0]?.event.metadata as { sluice: { runId: string } } | undefined;
  return metadata?.sluice.runId ?? expect.unreachable();
}

function deltasIn(received: readonly Frame[], type: string): string {
  return received.map(({ event }) => (event.type === type ? String(event['delta']) : '')).join('');
}

function withoutTime({ timestamp: _timestamp, ...event }: Frame['event']): unknown {
  return event;
}
