import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configFile } from '../../helpers/config-file.ts';
import { startGateway, type TestGateway } from '../../helpers/gateway.ts';
import { startVendor } from '../../helpers/vendor/vendor.ts';
import { findRun } from '../chat/turn.ts';
import { agentInput, agUiUrl, frames, post, refusalOf, runAgent, userMessage } from './agent.ts';

const opened = new AsyncDisposableStack();
let gateway: TestGateway;
beforeAll(async () => {
  const { environment } = opened.use(await configFile({ limits: { maxBodyBytes: 20_000 } }));
  gateway = opened.use(await startGateway({ environment }));
});
afterAll(() => opened.disposeAsync());

const tool = { name: 'openPage', description: 'Opens a page.', parameters: {} };

describe('what cannot be served is refused before anything is started', () => {
  const refused: Readonly<Record<string, readonly [Readonly<Record<string, unknown>>, RegExp]>> = {
    'an unknown field in forwardedProps': [{ forwardedProps: { retreival: {} } }, /forwardedProps: unknown: retreival/],
    'a known one of another type': [{ forwardedProps: { retrieval: { first: 'six' } } }, /retrieval\.first/],
    'one out of its bounds': [{ forwardedProps: { temperature: 3 } }, /temperature must be 0–2, got 3/],
    'a filter with a misspelt operator': [
      { forwardedProps: { retrieval: { filter: { field: 'year', equal: 1 } } } },
      /retrieval\.filter/,
    ],
    'tools that no model here could call': [{ tools: [tool] }, /tools need a generative model/],
    'an answer to what is no interrupt': [
      { resume: [{ interruptId: '1', status: 'resolved' }] },
      /resume\[0\]\.interruptId must be the id of an interrupt, got "1"/,
    ],
    'an answer to a run that is not there': [
      { resume: [{ interruptId: `approval-1:call@${randomUUID()}`, status: 'resolved', payload: { approved: true } }] },
      /no run/,
    ],
    'a decision of another shape': [
      { resume: [{ interruptId: `approval-1:call@${randomUUID()}`, status: 'resolved', payload: { approve: true } }] },
      /resume\[0\]\.payload must satisfy the interrupt's responseSchema/,
    ],
    'no messages': [{ messages: [] }, /must end with a user message, .*got none/],
    'an answer at the end': [
      { messages: [userMessage('Why?'), { id: '2', role: 'assistant', content: 'So.' }] },
      /must end with a user message, .*got an assistant message/,
    ],
    'a tool result without its call': [
      { messages: [{ id: '1', role: 'tool', toolCallId: 'call', content: 'ok' }, userMessage('Why?')] },
      /messages\[0\]\.toolCallId must be a call of an assistant message, got "call"/,
    ],
    'a message of an unknown role': [
      { messages: [{ id: '1', role: 'wizard', content: 'Hm.' }] },
      /messages\[0\]\.role/,
    ],
    'a file that only a provider has': [
      {
        messages: [{ id: '1', role: 'user', content: [{ type: 'image', source: { type: 'file', value: 'file-1' } }] }],
      },
      /messages\[0\]\.content\[0\]\.source\.type/,
    ],
    'a collection that is not there': [{ forwardedProps: { retrieval: { in: 'nowhere' } } }, /nowhere/],
    'a run id that is missing': [{ runId: undefined }, /runId/],
    'a text with a NUL': [{ messages: [userMessage('a\0b')] }, /NUL/],
  };
  test.each(Object.entries(refused))('%s', async (_name, [input, message]) => {
    const runId = randomUUID();
    const {
      status,
      code,
      message: came,
    } = await refusalOf(await post(gateway, agentInput('Why?', { runId, ...input })));
    expect(came).toMatch(message);
    expect(['BAD_INPUT', 'NOT_FOUND']).toContain(code);
    expect(status).toBe(code === 'BAD_INPUT' ? 400 : 404);
    expect(await findRun(gateway, runId)).toBeNull();
  });

  test('a body that is no JSON, too deep, of another type, or too long', async () => {
    expect(await refusalOf(await post(gateway, '{"threadId":'))).toMatchObject({ status: 400, code: 'BAD_INPUT' });
    const deep = `${'['.repeat(5_000)}${']'.repeat(5_000)}`;
    expect(await refusalOf(await post(gateway, deep))).toMatchObject({
      message: expect.stringContaining('levels deep'),
    });
    const asText = await post(gateway, agentInput('Why?'), { headers: { 'content-type': 'text/plain' } });
    expect(await refusalOf(asText)).toMatchObject({ status: 400, message: expect.stringContaining('content-type') });
    expect(await refusalOf(await post(gateway, agentInput('w'.repeat(20_000))))).toMatchObject({
      status: 413,
      message: expect.stringContaining('limits.maxBodyBytes'),
    });
  });

  test('another method than POST', async () => {
    const response = await fetch(agUiUrl(gateway));
    expect(response.headers.get('allow')).toBe('POST, OPTIONS');
    expect(await refusalOf(response)).toMatchObject({ status: 405, code: 'BAD_INPUT' });
  });

  test('a page of another origin; a page on this machine may call, and is told so before', async () => {
    const hostile = await post(gateway, agentInput('Why?'), { headers: { origin: 'https://evil.example' } });
    expect(await refusalOf(hostile)).toMatchObject({ status: 403, code: 'FORBIDDEN' });
    const preflight = await fetch(agUiUrl(gateway), {
      method: 'OPTIONS',
      headers: {
        origin: 'http://localhost:3000',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type,last-event-id',
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe('http://localhost:3000');
    expect(preflight.headers.get('access-control-allow-headers')).toContain('last-event-id');
  });
});

test('an error carries the request id that the client sent', async () => {
  const response = await post(gateway, '{', { headers: { 'x-request-id': 'request-7' } });
  expect(response.headers.get('x-request-id')).toBe('request-7');
});

test('a stream is told by its headers, and names its ids', async () => {
  const response = await post(gateway, agentInput('Why?'));
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  expect(response.headers.get('x-accel-buffering')).toBe('no');
  expect(await response.text()).toMatch(/^id: [\w-]+\ndata: \{"type":"RUN_STARTED"/);
});

test('a client from before AG-UI 1.0, with its nulls and binary parts, is served', async () => {
  const received = await frames(gateway, {
    threadId: 'thread',
    runId: randomUUID(),
    state: null,
    messages: [
      { id: '1', role: 'assistant', content: null },
      { id: '2', role: 'user', content: [{ type: 'text', text: 'Why?' }] },
    ],
    tools: [],
    context: [],
    forwardedProps: null,
  });
  expect(received.at(-1)?.event.type).toBe('RUN_FINISHED');
  expect(received[0]?.event).not.toHaveProperty('protocolVersion');
});

test('a client that leaves in the middle of its body costs nothing', async () => {
  const url = new URL(agUiUrl(gateway));
  const half = request(url, { method: 'POST', headers: { 'content-type': 'application/json', 'content-length': 500 } });
  half.on('error', () => {});
  half.write('{"threadId":');
  await new Promise((resolve) => half.once('socket', (socket) => socket.once('connect', resolve)));
  half.destroy();
  const received = await frames(gateway, agentInput('Why?'));
  expect(received.at(-1)?.event.type).toBe('RUN_FINISHED');
});

describe('with a key', () => {
  const apiKey = 'a-key-of-the-tests-0123456789';
  let guarded: TestGateway;
  beforeAll(async () => {
    const vendor = opened.use(await startVendor());
    guarded = opened.use(await startGateway({ vendor, environment: { SLUICE_API_KEY: apiKey } }));
  });

  test('a request without it is UNAUTHENTICATED', async () => {
    for (const headers of [{}, { authorization: 'Bearer another-key' }]) {
      const response = await post(guarded, agentInput('Why?'), { headers });
      expect(response.headers.get('www-authenticate')).toBe('Bearer');
      expect(await refusalOf(response)).toMatchObject({ status: 401, code: 'UNAUTHENTICATED' });
    }
  });

  test('the official client sends it as a header', async () => {
    const run = await runAgent(guarded, 'Why?', { headers: { authorization: `Bearer ${apiKey}` } });
    expect(run.types.at(-1)).toBe('RUN_FINISHED');
  });
});
