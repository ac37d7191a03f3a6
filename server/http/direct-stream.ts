import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { ExecutionResult, GraphQLError } from 'graphql';
import type { App, ServerContext } from '../app.ts';
import { withCode } from '../client-errors.ts';
import { leftSignal } from './left-signal.ts';
import { letGoOfStalled } from './let-go-of-stalled.ts';
import { type PlainParameters, PlainRequest } from './plain-request.ts';

/** Proxies cut connections on which nothing is said. */
const pingMs = 12_000;
const ping = ':\n\n';
const headers = {
  'Content-Type': 'text/event-stream',
  Connection: 'keep-alive',
  'Cache-Control': 'no-cache',
  'Content-Encoding': 'none',
};

/**
 * Answers a plain subscription with server-sent events, frame by frame as Yoga does, but on node:http itself: WHATWG streams in
 * between cost each open stream 6 KB and each event a chain of promises. A client that does not read stops the subscription's own
 * iterator. False: Yoga is to answer, and to tell the result in `context` where there is one.
 */
export async function streamDirectly(
  app: App,
  params: PlainParameters,
  response: ServerResponse,
  context: ServerContext,
): Promise<boolean> {
  if (!/\bsubscription\b/.test(params.query) || /@defer|@stream/.test(params.query)) return false;
  const signal = leftSignal(response);
  const request = new PlainRequest('text/event-stream', signal) as unknown as Request;
  let result: unknown;
  try {
    result = await app.getResultForParams({ params, request }, { ...context });
  } catch (error) {
    if (response.destroyed) return true;
    throw error;
  }
  if (!isStream(result)) {
    context.executed = result as ExecutionResult; // of a subscription: what is no stream is one result
    return false;
  }
  await send(result, response, signal);
  return true;
}

async function send(
  parts: AsyncIterable<ExecutionResult>,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  if (response.destroyed) return void (await parts[Symbol.asyncIterator]().return?.());
  response.writeHead(200, headers);
  letGoOfStalled(response);
  // Some browsers take no notice of headers before something of the body has come.
  response.write(ping);
  const pings = setInterval(() => {
    if (!response.writableNeedDrain) response.write(ping);
  }, pingMs);
  response.once('close', () => clearInterval(pings));
  try {
    for await (const part of parts) {
      if (response.destroyed) return;
      if (!response.write(`event: next\ndata: ${JSON.stringify(shown(part))}\n\n`)) {
        await once(response, 'drain', { signal });
      }
    }
    response.end('event: complete\ndata:\n\n');
  } catch (error) {
    const hasLeft = signal.aborted;
    // Cut off rather than ended: the client must not take it for whole.
    response.destroy();
    if (!hasLeft) throw error;
  } finally {
    clearInterval(pings);
  }
}

function shown(part: ExecutionResult): object {
  return part.errors === undefined ? part : { ...part, errors: part.errors.map(shownError) };
}

/** Without what is for the transport alone. */
function shownError(error: GraphQLError): object {
  const { extensions: { http: _http, ...extensions } = {}, ...rest } = withCode(error).toJSON();
  return { ...rest, extensions };
}

function isStream(result: unknown): result is AsyncIterable<ExecutionResult> {
  return typeof result === 'object' && result !== null && Symbol.asyncIterator in result;
}
