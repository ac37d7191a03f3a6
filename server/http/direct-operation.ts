import type { ServerResponse } from 'node:http';
import type { ExecutionResult } from 'graphql';
import type { App, ServerContext } from '../app.ts';
import { leftSignal } from './left-signal.ts';
import { isObject, type PlainParameters, PlainRequest } from './plain-request.ts';

/** Results of several parts, or what may be one: Yoga's to send. */
const severalParts = /@defer|@stream|subscription/;

/**
 * Answers a plain operation through the same hooks as any other, without the layer of WHATWG requests, responses and streams
 * around it, which costs more than the GraphQL in between. False, and nothing was done: Yoga is to answer, with what it says to
 * an operation that is not valid, and to whatever else was not executed.
 */
export async function answerDirectly(
  app: App,
  params: PlainParameters,
  response: ServerResponse,
  context: ServerContext,
): Promise<boolean> {
  if (severalParts.test(params.query)) return false;
  const request = new PlainRequest('application/json', leftSignal(response)) as unknown as Request;
  const result = await app.getResultForParams({ params, request }, { ...context });
  if (!isExecuted(result)) return false;
  const text = JSON.stringify(result);
  response.writeHead(200, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
  });
  response.end(text);
  return true;
}

/** What has no data was refused before anything was executed, and has a status of its own. */
function isExecuted(result: unknown): result is ExecutionResult {
  return isObject(result) && result['data'] !== undefined;
}
