import { request as httpRequest, type IncomingMessage } from 'node:http';
import { errorCodes } from '../../../core/contracts/gateway-error.ts';
import { authorization } from './key.ts';
import type { FuzzRequest } from './requests.ts';

/** What came back: whole, or as much as came before it was left. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly wasLeft: boolean;
}

const answeredWithinMs = 25_000;
const endlessMs = 700;

/** One request on a connection of its own; rejects when the gateway breaks it off without an answer. */
export function send(origin: string, { method, target, headers, body, endless }: FuzzRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(origin);
    let left = false;
    const chunks: Buffer[] = [];
    let response: IncomingMessage | null = null;
    const answer = () =>
      resolve({
        status: response?.statusCode ?? 0,
        contentType: response?.headers['content-type'] ?? '',
        body: Buffer.concat(chunks).toString(),
        wasLeft: left,
      });
    const outgoing = httpRequest(
      { hostname, port, method, path: target, headers: { authorization, ...headers }, agent: false },
      (incoming) => {
        response = incoming;
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.once('error', () => {});
        incoming.once('close', settle);
      },
    );
    const leaving = setTimeout(
      () => {
        left = true;
        outgoing.destroy();
      },
      endless ? endlessMs : answeredWithinMs,
    );
    outgoing.once('upgrade', (_incoming, socket) => socket.destroy());
    outgoing.once('error', (error) => {
      clearTimeout(leaving);
      // Half a body, or a length that lies: the gateway is right to hang up.
      if (left) answer();
      else reject(error);
    });
    outgoing.once('close', settle);
    if (body !== null) outgoing.write(body);
    outgoing.end();

    function settle(): void {
      clearTimeout(leaving);
      answer();
    }
  });
}

/** What is wrong with an answer; an empty list when nothing is. */
export function faultsOf({ status, body, wasLeft, contentType }: Answer, endless: boolean): string[] {
  if (wasLeft) return endless ? [] : [`it was not answered within ${answeredWithinMs} ms`];
  const faults: string[] = [];
  if (status >= 500) faults.push(`status ${status}`);
  if (body.includes('"INTERNAL"')) faults.push('an INTERNAL error');
  if (contentType.includes('json')) faults.push(...errorFaults(parsed(body)));
  if (contentType.includes('event-stream')) {
    for (const [, data] of body.matchAll(/^data: (\{.*\})$/gm)) faults.push(...errorFaults(parsed(data ?? '')));
  }
  return faults;
}

/** The codes of its errors; `data` where some came. */
export function outcomesOf({ body, contentType }: Answer): string[] {
  if (!contentType.includes('json')) return [];
  const codes = [...body.matchAll(/"code":"([A-Z_]+)"/g)].map(([, code]) => code ?? '');
  return /"data":\{/.test(body) ? ['data', ...codes] : codes;
}

/** The answer to a HEAD has a type and no body. */
function parsed(body: string): unknown {
  if (body === '') return {};
  try {
    return JSON.parse(body);
  } catch {
    return { errors: [{ message: `no JSON: ${body}` }] };
  }
}

/** Every error of a GraphQL result has one of the codes of the contract. */
export function errorFaults(result: unknown): string[] {
  const errors = typeof result === 'object' && result !== null && 'errors' in result ? result.errors : [];
  if (!Array.isArray(errors)) return [`errors is no list: ${JSON.stringify(errors)}`];
  return errors.flatMap((error: { readonly extensions?: { readonly code?: unknown } } | null) => {
    const code = error?.extensions?.code;
    if (!errorCodes.some((known) => known === code)) return [`no code of the contract: ${JSON.stringify(error)}`];
    return code === 'INTERNAL' ? [`INTERNAL: ${JSON.stringify(error)}`] : [];
  });
}
