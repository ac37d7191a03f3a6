import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeEach, describe, expect, it } from 'vitest';
import { configSchema } from '../../server/config/config-schema.ts';
import { all, chatOperation, openStream } from '../e2e/runs/streams.ts';
import { freePort } from '../helpers/free-port.ts';
import { startGateway } from '../helpers/gateway.ts';
import { startVendor } from '../helpers/vendor/vendor.ts';
import { hasNginx, startBalancer } from './balancer.ts';

const text = await readFile(new URL('../../deploy/nginx.conf', import.meta.url), 'utf8');
const defaults = configSchema.parse({});

/** Stands for an instance, to see what reaches it and to answer in ways that are hard to catch a real one at. */
async function startInstance(answer: (request: IncomingMessage, response: ServerResponse, body: string) => void) {
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    bodies.push(body);
    answer(request, response, body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    bodies,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

const healthy = (_: IncomingMessage, response: ServerResponse): void => void response.end('healthy');
const notReady = (_: IncomingMessage, response: ServerResponse): void => void response.writeHead(503).end('not ready');

async function post(url: string, body: string): Promise<{ readonly status: number; readonly body: string }> {
  const response = await fetch(`${url}/graphql`, { method: 'POST', body });
  return { status: response.status, body: await response.text() };
}

describe('deploy/nginx.conf', () => {
  it('lets the gateway be the one that says no: to a large body, and to a long wait', () => {
    const [, megabytes] = /client_max_body_size (\d+)m;/.exec(text) ?? [];
    expect(Number(megabytes) * 2 ** 20).toBeGreaterThanOrEqual(defaults.limits.maxBodyBytes);
    const [, seconds] = /proxy_read_timeout (\d+)s;/.exec(text) ?? [];
    expect(Number(seconds) * 1_000).toBeGreaterThan(defaults.timeouts.totalMs);
  });
});

describe('nginx with deploy/nginx.conf', () => {
  beforeEach((context) => context.skip(!hasNginx && !process.env['CI'], 'nginx is not installed'));

  it('spreads requests over the instances, one after the other', async () => {
    await using first = await startInstance(healthy);
    await using second = await startInstance(healthy);
    await using balancer = await startBalancer([first.port, second.port]);
    for (let nth = 0; nth < 10; nth += 1) await post(balancer.url, `${nth}`);
    expect([first.bodies.length, second.bodies.length]).toEqual([5, 5]);
  });

  it('asks another instance when one cannot be reached, also for a POST', async () => {
    await using instance = await startInstance(healthy);
    await using balancer = await startBalancer([await freePort(), instance.port]);
    for (let nth = 0; nth < 4; nth += 1)
      expect(await post(balancer.url, `${nth}`)).toEqual({ status: 200, body: 'healthy' });
    expect(instance.bodies).toEqual(['0', '1', '2', '3']);
  });

  it('asks another instance when one starts or stops, also for a POST', async () => {
    await using starting = await startInstance(notReady);
    await using instance = await startInstance(healthy);
    await using balancer = await startBalancer([starting.port, instance.port]);
    const answers = await Promise.all(Array.from({ length: 40 }, (_, nth) => post(balancer.url, `${nth}`)));
    expect(answers).toEqual(answers.map(() => ({ status: 200, body: 'healthy' })));
    expect(starting.bodies.length).toBeGreaterThan(0);
    expect(instance.bodies.length).toBe(40);
  });

  it('says what the instances say when none of them is ready', async () => {
    await using first = await startInstance(notReady);
    await using second = await startInstance(notReady);
    await using balancer = await startBalancer([first.port, second.port]);
    expect(await post(balancer.url, '')).toEqual({ status: 503, body: 'not ready' });
  });

  it('never sends a POST twice when an instance dies over it', async () => {
    await using dying = await startInstance((request) => request.socket.destroy());
    await using instance = await startInstance(healthy);
    await using balancer = await startBalancer([dying.port, instance.port]);
    const answers = [await post(balancer.url, 'one'), await post(balancer.url, 'two')];
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 502]);
    expect([...dying.bodies, ...instance.bodies].sort()).toEqual(['one', 'two']);
  });

  it('passes each event of a stream on before the next one is there', async () => {
    const goOn = Promise.withResolvers<void>();
    await using instance = await startInstance(async (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: first\n\n');
      await goOn.promise;
      response.end('data: second\n\n');
    });
    await using balancer = await startBalancer([instance.port]);
    const response = await fetch(`${balancer.url}/graphql`, { signal: AbortSignal.timeout(30_000) });
    const received: string[] = [];
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      received.push(chunk);
      goOn.resolve();
    }
    expect(received.join('')).toBe('data: first\n\ndata: second\n\n');
    expect(received[0]).toBe('data: first\n\n');
  });

  it('carries the WebSockets and the requests of real gateways', async () => {
    await using vendor = await startVendor();
    await using first = await startGateway({ vendor });
    await using second = await startGateway({ vendor });
    const ports = [first, second].map(({ url }) => Number(new URL(url).port));
    await using balancer = await startBalancer(ports);
    for (const message of ['To the first instance.', 'To the second instance.']) {
      const stream = openStream({ webSocketUrl: `${balancer.url.replace(/^http/, 'ws')}/graphql` }, chatOperation, {
        input: { runId: crypto.randomUUID(), message },
      });
      expect((await all(stream)).at(-1)?.__typename).toBe('RunFinished');
    }
    const query = '{ conversations(first: 5) { edges { node { title } } } }';
    const titles = await Promise.all([first, second].map((gateway) => gateway.data<object, unknown>(query)));
    expect(JSON.stringify(titles)).toMatch(/To the first instance.*To the second instance/);
  });
});
