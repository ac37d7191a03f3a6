import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { boundedFetch } from '../../../adapters/mcp/bounded-fetch.ts';

let server: Server;
let url: string;
beforeAll(async () => {
  server = createServer(({ url: path = '' }, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    // Ten events of a hundred bytes, their ends in chunks of their own; or one that never ends.
    const event = [
      `data: ${'x'.repeat(92)}\r\n`,
      path === '/events' ? '\r' : 'data: x',
      path === '/events' ? '\n' : 'x',
    ];
    for (const chunk of Array.from({ length: 10 }, () => event).flat()) response.write(chunk);
    response.end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

it('lets a stream of notifications be as long as it likes, and each of its events so long', async () => {
  const fetched = boundedFetch(250);
  expect((await (await fetched(`${url}/events`)).text()).length).toBe(1_020);
  await expect((await fetched(`${url}/endless`)).text()).rejects.toThrow(/larger than 250 bytes/);
});

it('bounds an answer as a whole', async () => {
  const answer = await boundedFetch(250)(`${url}/events`, { method: 'POST' });
  await expect(answer.text()).rejects.toThrow(/larger than 250 bytes/);
});
