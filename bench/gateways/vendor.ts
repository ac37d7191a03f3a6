import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { VendorBehaviour, VendorState } from './vendor-control.ts';

/**
 * A provider on bare node:http that costs next to nothing itself, in a process of its own. PUT /behaviour says how it answers
 * from then on, GET /state what it has seen; everything else is a chat. Prints its address.
 */
let behaviour: VendorBehaviour = {
  latencyMs: 0,
  together: 0,
  tokens: 1,
  tokensPerSecond: 0,
  stamp: 'held',
  end: 'whole',
  refusals: 0,
};
let open = 0;
let arrivals: number[] = [];
let refusalsLeft = 0;
let allHere = Promise.withResolvers<void>();

const now = (): number => performance.timeOrigin + performance.now();

const server = createServer((request, response) => {
  // A caller that leaves is what some lines measure.
  answer(request, response).catch(() => response.destroy());
});
server.keepAliveTimeout = 120_000;
server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') console.log(`http://127.0.0.1:${address.port}`);
});

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const begunAt = performance.now();
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = chunks.length === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString());
  if (request.url === '/state') {
    const state: VendorState = { open, arrivals };
    return json(response, 200, state);
  }
  if (request.url === '/behaviour') {
    behaviour = body;
    refusalsLeft = behaviour.refusals;
    arrivals = [];
    allHere = Promise.withResolvers();
    return json(response, 200, {});
  }
  if (request.url?.endsWith('/embeddings')) {
    // Asked for once, at the start of a gateway: how long are its vectors?
    const data = [{ object: 'embedding', index: 0, embedding: Array.from({ length: 64 }, () => 0.125) }];
    return json(response, 200, { object: 'list', data, usage: usage() });
  }
  arrivals.push(now());
  open += 1;
  response.once('close', () => {
    open -= 1;
  });
  if (refusalsLeft > 0) {
    refusalsLeft -= 1;
    response.setHeader('Retry-After', '2');
    return json(response, 429, { error: { message: 'Slow down.', type: 'rate_limit_error', code: null } });
  }
  const { latencyMs, together } = behaviour;
  if (arrivals.length === together) allHere.resolve();
  if (together > 0) await allHere.promise;
  if (latencyMs > 0) await pause(latencyMs);
  if (body.stream === true) return stream(body, response, begunAt);
  const content = `${stamped(performance.now() - begunAt)}${'word '.repeat(Math.max(0, behaviour.tokens - 1))}`;
  const choices = [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }];
  json(response, 200, { ...head(body.model, 'chat.completion'), choices, usage: usage() });
}

async function stream(body: WireRequest, response: ServerResponse, begunAt: number): Promise<void> {
  const { tokens, tokensPerSecond, stamp, end } = behaviour;
  const [before, after] = frame(body.model);
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
  if (tokensPerSecond === 0) {
    response.write(`${before}${stamped(performance.now() - begunAt)}${after}`);
    const token = `${before}word ${after}`;
    for (let sent = 1; sent < tokens; sent += 1) {
      if (!response.write(token)) await once(response, 'drain');
    }
  } else {
    const everyMs = 1_000 / tokensPerSecond;
    // Streams that begin together do not tick together.
    const first = now() + Math.random() * everyMs;
    for (let sent = 0; sent < tokens; sent += 1) {
      const dueAt = first + sent * everyMs;
      const wait = dueAt - now();
      if (wait > 0) await pause(wait);
      if (response.destroyed) return;
      response.write(`${before}${stamp === 'due' ? stamped(dueAt) : 'word '}${after}`);
    }
  }
  if (end === 'cut') return void response.socket?.destroySoon();
  if (end === 'silent') return;
  response.write(finish(body.model));
  if (body.stream_options?.include_usage === true) {
    response.write(
      `data: ${JSON.stringify({ ...head(body.model, 'chat.completion.chunk'), choices: [], usage: usage() })}\n\n`,
    );
  }
  response.end('data: [DONE]\n\n');
}

interface WireRequest {
  readonly model: string;
  readonly stream?: boolean;
  readonly stream_options?: { readonly include_usage?: boolean };
}

/** What stands before and after the text of a token: made once a stream, as JSON costs more than the write. */
function frame(model: string): readonly [string, string] {
  const choices = [{ index: 0, delta: { content: '|' }, finish_reason: null }];
  const [before = '', after = ''] = JSON.stringify({ ...head(model, 'chat.completion.chunk'), choices }).split('|');
  return [`data: ${before}`, `${after}\n\n`];
}

function finish(model: string): string {
  const choices = [{ index: 0, delta: {}, finish_reason: 'stop' }];
  return `data: ${JSON.stringify({ ...head(model, 'chat.completion.chunk'), choices })}\n\n`;
}

const head = (model: string, object: string) => ({ id: 'chatcmpl-bench', object, created: 1_700_000_000, model });
const stamped = (value: number): string => `@${value.toFixed(3)} `;
const usage = () => ({ prompt_tokens: 8, completion_tokens: behaviour.tokens, total_tokens: behaviour.tokens + 8 });

function json(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}
