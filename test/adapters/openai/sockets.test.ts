import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { openaiProvider } from '../../../adapters/openai/openai-provider.ts';
import { processorWait } from '../../helpers/processor-wait.ts';
import { all, failure, never, outcome, request, start, tenWords, textOf } from './setup.ts';

/** From the abort in the gateway to the close at the vendor. */
const CLOSED_WITHIN_MS = 200;

describe('stopping', () => {
  test('closes the socket of an aborted stream, also in silence', async () => {
    const { vendor, provider } = await start();
    vendor.next({ reply: tenWords, silentAfter: 3 });
    const abort = new AbortController();
    const reading = outcome(provider.chat(request(), abort.signal));
    const call = await vendor.waitForTokens(await vendor.waitForCall('/chat/completions'), 3);
    expect(call.closedAt).toBeNull();
    const [abortedAt, waitedMs] = [performance.timeOrigin + performance.now(), processorWait()];
    abort.abort();
    const { closedAt, completed } = await vendor.waitForClose(call);
    expect(completed).toBe(false);
    expect((closedAt ?? 0) - abortedAt - waitedMs()).toBeLessThan(CLOSED_WITHIN_MS);
    expect((await reading).error).toMatchObject({ code: 'CANCELLED' });
  });

  test('closes the socket of a stream whose reader is busy elsewhere when it is aborted', async () => {
    const { vendor, provider } = await start();
    vendor.next({ reply: tenWords, silentAfter: 3 });
    const abort = new AbortController();
    const chunks = provider.chat(request(), abort.signal)[Symbol.asyncIterator]();
    await chunks.next();
    abort.abort();
    const call = await vendor.waitForClose(await vendor.waitForCall('/chat/completions'));
    expect(call.completed).toBe(false);
    expect((await failure(chunks.next())).code).toBe('CANCELLED');
  });

  test('closes the socket when the loop is left', async () => {
    const { vendor, provider } = await start();
    vendor.next({ reply: tenWords, tokensPerSecond: 20 });
    for await (const _ of provider.chat(request(), never())) break;
    const [leftAt, waitedMs] = [performance.timeOrigin + performance.now(), processorWait()];
    const call = await vendor.waitForClose(await vendor.waitForCall('/chat/completions'));
    expect(call.completed).toBe(false);
    expect((call.closedAt ?? 0) - leftAt - waitedMs()).toBeLessThan(CLOSED_WITHIN_MS);
    expect(call.tokensSent).toBeLessThan(10);
  });

  test('closes the socket after a malformed chunk', async () => {
    const { vendor, provider } = await start();
    vendor.next({ reply: tenWords, malformedAfter: 3, tokensPerSecond: 20 });
    expect((await outcome(provider.chat(request(), never()))).error).not.toBeNull();
    const call = await vendor.waitForClose(await vendor.waitForCall('/chat/completions'));
    expect(call.completed).toBe(false);
  });

  test.each(['/chat/completions', '/embeddings', '/models'] as const)(
    'closes the socket of an aborted call to %s',
    async (path) => {
      const { vendor, provider } = await start();
      vendor.nextOf(path, { silentAfter: 0 });
      const abort = new AbortController();
      const calls = {
        '/chat/completions': () => provider.complete(request(), abort.signal),
        '/embeddings': () => provider.embed({ model: 'e', texts: ['a'] }, abort.signal),
        '/models': () => provider.models(abort.signal),
      };
      const result = failure(calls[path]());
      const call = await vendor.waitForCall(path);
      abort.abort(new Error('enough'));
      expect((await vendor.waitForClose(call)).completed).toBe(false);
      const error = await result;
      expect(error).toMatchObject({ code: 'CANCELLED', retryable: false });
      expect(error.cause).toEqual(new Error('enough'));
    },
  );

  test('ends a call at once that still waits for its socket, and never sends it', async () => {
    const { vendor, provider } = await start({ maxConnections: 1 });
    const gate = Promise.withResolvers<void>();
    vendor.next({ hold: gate.promise, reply: tenWords });
    const first = all(provider.chat(request(), never()));
    await vendor.waitForCall('/chat/completions');
    const abort = new AbortController();
    const second = outcome(provider.chat(request(), abort.signal));
    abort.abort();
    expect((await second).error?.code).toBe('CANCELLED');
    gate.resolve();
    expect(textOf(await first)).toBe(tenWords);
    expect(textOf(await all(provider.chat(request(), never())))).not.toBe('');
    expect(vendor.calls()).toHaveLength(2);
  });

  test('makes no request for a signal that is already aborted', async () => {
    const { vendor, provider } = await start();
    expect((await outcome(provider.chat(request(), AbortSignal.abort()))).error?.code).toBe('CANCELLED');
    await all(provider.chat(request(), never()));
    expect(vendor.calls()).toHaveLength(1);
  });
});

describe('sockets', () => {
  test('are used again after a stream, a reply and an embedding', async () => {
    const { vendor, provider } = await start();
    for (let round = 0; round < 3; round++) {
      await all(provider.chat(request(), never()));
      await provider.complete(request(), never());
      await provider.embed({ model: 'e', texts: ['a'] }, never());
    }
    expect(vendor.calls()).toHaveLength(9);
    // The end of a stream is read after its last chunk was passed on: the call right behind it may need a second socket.
    expect(vendor.connections).toBeLessThanOrEqual(2);
  });

  test('are not limited: a thousand streams run at once', async () => {
    const { vendor, provider } = await start({}, { countTokens: (text) => text.length });
    const gate = Promise.withResolvers<void>();
    vendor.when(() => true, { hold: gate.promise, reply: tenWords });
    const streams = Array.from({ length: 1_000 }, () => all(provider.chat(request(), never())));
    await vendor.waitForCall('/chat/completions', 1_000);
    gate.resolve();
    expect((await Promise.all(streams)).every((chunks) => textOf(chunks) === tenWords)).toBe(true);
    expect(vendor.maxConcurrent).toBe(1_000);
  });

  test('are limited by maxConnections: further calls wait for one', async () => {
    const { vendor, provider } = await start({ maxConnections: 2 });
    const replies = Array.from({ length: 8 }, () => provider.complete(request(), never()));
    await Promise.all(replies);
    expect(vendor.maxConcurrent).toBeLessThanOrEqual(2);
    expect(vendor.connections).toBe(2);
  });

  test('of a reader who stalls are paused: what is not read stays with the vendor', async () => {
    const { vendor, provider } = await start({}, { countTokens: (text) => text.length });
    // 26 MB: more than fits into the buffers of two sockets.
    const words = Array(400).fill('x'.repeat(64 * 1024));
    vendor.next({ reply: words.join(' '), tokensPerSecond: 2_000 }, { latencyMs: 800 });
    const chunks = provider.chat(request(), never())[Symbol.asyncIterator]();
    let next = await chunks.next();
    // As long as this takes, nobody reads; all tokens were due in a quarter of it.
    await provider.complete(request(), never());
    const stream = await vendor.waitForCall('/chat/completions');
    expect(stream.tokensSent).toBeLessThan(words.length);
    expect(stream.closedAt).toBeNull();
    let length = 0;
    for (; !next.done; next = await chunks.next()) {
      if (next.value.type === 'text') length += next.value.delta.length;
    }
    expect(length).toBe(words.join(' ').length);
  });
});

describe('a provider that is not there', () => {
  test('is named with host and port when it refuses the connection', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    // A server that listens on a port has an AddressInfo.
    const { port } = server.address() as AddressInfo;
    await once(server.close(), 'close');
    const provider = openaiProvider({ baseUrl: `http://127.0.0.1:${port}/v1`, apiKey: 'sk-secret-0123456789' });
    const errors = [
      await failure(all(provider.chat(request(), never()))),
      await failure(provider.complete(request(), never())),
      await failure(provider.embed({ model: 'e', texts: ['a'] }, never())),
      await failure(provider.models(never())),
    ];
    for (const error of errors) {
      expect(error).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', retryable: true });
      expect(error.message).toContain(`127.0.0.1:${port}`);
      expect(error.message).toContain('ECONNREFUSED');
    }
  });

  test('is named when its name does not resolve', async () => {
    const provider = openaiProvider({ baseUrl: 'http://provider.invalid/v1', apiKey: null });
    const error = await failure(provider.models(never()));
    expect(error).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', retryable: true });
    expect(error.message).toContain('provider.invalid:80');
  });

  test('is told apart from one that does not speak HTTP', async () => {
    const server = createServer((socket) => socket.resume().end('220 mail ready\r\n')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    // A server that listens on a port has an AddressInfo.
    const { port } = server.address() as AddressInfo;
    const provider = openaiProvider({ baseUrl: `http://127.0.0.1:${port}/v1`, apiKey: null });
    const errors = [
      await failure(all(provider.chat(request(), never()))),
      await failure(provider.complete(request(), never())),
    ];
    await once(server.close(), 'close');
    for (const error of errors) {
      expect(error).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', retryable: true });
      expect(error.message).toContain('does not match the HTTP/1.1 protocol');
    }
  });
});
