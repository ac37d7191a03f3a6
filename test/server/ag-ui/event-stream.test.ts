import type { IncomingMessage } from 'node:http';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { EventStream } from '../../../server/ag-ui/event-stream.ts';
import { heldResponse } from '../../helpers/held-response.ts';

afterEach(() => vi.useRealTimers());

const content = (delta: string) => ({ type: 'TEXT_MESSAGE_CONTENT', messageId: 'message', delta }) as const;

/** More than the buffers of a connection on this machine hold. */
const tooMuch = 'x'.repeat(64_000_000);

async function connection() {
  const held = await heldResponse((response) => {
    const closed = new AbortController();
    response.once('close', () => closed.abort());
    return new EventStream(response, 'begin', closed.signal);
  });
  return Object.assign(held, { stream: held.begun });
}

async function textOf(reader: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of reader.setEncoding('utf8')) text += chunk;
  return text;
}

describe('a stream of events', () => {
  test('gives only the last of those that belong together the new id', async () => {
    await using open = await connection();
    await open.stream.send([content('a'), content('b')], 'first');
    await open.stream.send([content('c')], 'second');
    await open.stream.send([], 'third');
    await open.stream.send([content('d')]);
    open.stream[Symbol.dispose]();
    const ids = [...(await textOf(open.reader)).matchAll(/^id: (.*)$/gm)].map(([, id]) => id);
    expect(ids).toEqual(['begin', 'first', 'second', 'second']);
  });

  test('waits for a reader that is slow', async () => {
    await using open = await connection();
    open.reader.pause();
    const sending = open.stream.send([content(tooMuch)]);
    let sent = false;
    void sending.then(() => {
      sent = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect({ sent, waits: open.response.writableNeedDrain }).toEqual({ sent: false, waits: true });
    open.reader.resume();
    await sending;
  });

  test('lets go of a reader that takes nothing for a minute', async () => {
    await using open = await connection();
    expect(open.response.socket?.timeout).toBe(60_000);
  });

  test('rejects when the reader leaves while it waits', async () => {
    await using open = await connection();
    open.reader.pause();
    const sending = open.stream.send([content(tooMuch)]);
    open.reader.destroy();
    await expect(sending).rejects.toMatchObject({ name: 'AbortError' });
    await expect(open.stream.send([content('late')])).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('sends a comment every 15 seconds, until it ends', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    await using open = await connection();
    vi.advanceTimersByTime(30_000);
    await open.stream.send([content('a')], 'first');
    open.stream[Symbol.dispose]();
    expect(vi.getTimerCount()).toBe(0);
    expect(await textOf(open.reader)).toMatch(/^:\n\n:\n\nid: first\n/);
  });
});
