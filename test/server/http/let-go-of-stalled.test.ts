import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { letGoOfStalled } from '../../../server/http/let-go-of-stalled.ts';

/** More than the buffers of a connection on this machine hold. */
const tooMuch = Buffer.alloc(64_000_000, 'x');

/** A stream that is let go of when nothing of it was taken for so long, and its reader. */
async function stream(
  withinMs: number,
): Promise<AsyncDisposable & { readonly response: ServerResponse; readonly reader: IncomingMessage }> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const requested = once(server, 'request');
  const request = get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' });
  const answered = once(request, 'response');
  const [, response] = (await requested) as [IncomingMessage, ServerResponse];
  response.writeHead(200, { 'Content-Type': 'text/event-stream' });
  letGoOfStalled(response, withinMs);
  response.flushHeaders();
  const [reader] = (await answered) as [IncomingMessage];
  return {
    response,
    reader,
    async [Symbol.asyncDispose]() {
      request.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

test('a stream whose client reads nothing is closed, and not as if it had ended', async () => {
  await using open = await stream(300);
  open.reader.pause();
  open.response.write(tooMuch);
  await once(open.response, 'close');
  expect(open.response.writableFinished).toBe(false);
  open.reader.resume();
  await expect(once(open.reader, 'end')).rejects.toThrow('aborted');
});

test('one that is read slowly is kept', async () => {
  const withinMs = 1_500;
  await using open = await stream(withinMs);
  const begun = performance.now();
  const sent = new Promise((resolve) => open.response.write(tooMuch, resolve));
  let read = 0;
  for await (const chunk of open.reader) {
    read += (chunk as Buffer).length;
    if (read >= tooMuch.length) break;
    // Thirty-two times: longer in all than the time without any progress.
    if (read % 2_000_000 < (chunk as Buffer).length) await pause(withinMs / 16);
  }
  await sent;
  expect(read).toBe(tooMuch.length);
  expect(performance.now() - begun).toBeGreaterThan(withinMs);
});
