import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { configFile } from '../../helpers/config-file.ts';
import { type GraphQLResult, startGatewayWithVendor, type TestGateway } from '../../helpers/gateway.ts';
import { expectRefusal, limits, startSmall } from './setup.ts';

const opened = new AsyncDisposableStack();
/** As it is without a configuration, but for the vendor: no model is loaded. */
let usual: TestGateway;
let small: TestGateway;
beforeAll(async () => {
  ({ gateway: usual } = opened.use(await startGatewayWithVendor()));
  ({ gateway: small } = opened.use(await startSmall()));
});
afterAll(() => opened.disposeAsync());

describe('the body of a request', () => {
  const query = '{ health { ok } }';
  const padded = (bytes: number) => {
    const body = JSON.stringify({ query });
    return Buffer.concat([Buffer.from(body), Buffer.alloc(bytes - body.length, ' ')]);
  };
  const chunks = (body: Buffer) =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < body.length; at += 10_000) controller.enqueue(body.subarray(at, at + 10_000));
        controller.close();
      },
    });
  const send = (gateway: TestGateway, body: BodyInit) =>
    fetch(gateway.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      duplex: 'half',
    } as RequestInit); // the type does not know duplex

  it.each([
    ['announced', (bytes: number): BodyInit => padded(bytes)],
    ['in chunks, whose number nobody knows before', (bytes: number): BodyInit => chunks(padded(bytes))],
  ])('is bounded, %s', async (_name, bodyOf) => {
    const fits = await send(small, bodyOf(limits.maxBodyBytes));
    expect(fits.status).toBe(200);
    expect(await fits.json()).toEqual({ data: { health: { ok: true } } });
    for (const bytes of [limits.maxBodyBytes + 1, 3_000_000]) {
      const exceeds = await send(small, bodyOf(bytes));
      expect(exceeds.status).toBe(413);
      expectRefusal((await exceeds.json()) as GraphQLResult<unknown>, 'BAD_INPUT', 'limits.maxBodyBytes');
    }
  });

  it('may have 20 MB, and no more', async () => {
    expect((await send(usual, padded(20_000_000))).status).toBe(200);
    expect((await send(usual, padded(20_000_001))).status).toBe(413);
  });

  it('may have as much as the configuration says, beyond every bound of a library', async () => {
    await using file = await configFile({ limits: { maxBodyBytes: 40_000_000 } });
    await using large = await startGatewayWithVendor(file);
    expect((await send(large.gateway, padded(40_000_000))).status).toBe(200);
  });

  it('is a frame on a WebSocket, which ends the socket that sent it', async () => {
    const socket = new WebSocket(small.webSocketUrl, 'graphql-transport-ws');
    await once(socket, 'open');
    socket.send(padded(limits.maxBodyBytes + 1));
    const [code] = await once(socket, 'close');
    expect(code).toBe(1009);
    expect(await small.data(query)).toEqual({ health: { ok: true } });
  });
});
