import { z } from 'zod';
import { CommandError } from '../command-error.ts';
import type { Connection } from './connection.ts';
import { graphqlErrors, refusal, unreachable } from './failures.ts';

const requestTimeoutMs = 60_000;
const reply = z.object({ data: z.unknown().optional(), errors: graphqlErrors.optional() });

/** A query or mutation with the shape of its data. */
export interface Operation<Data> {
  readonly document: string;
  readonly data: z.ZodType<Data>;
}

/** One query or mutation. Any error of the reply is a CommandError: nothing here works with half an answer. */
export async function request<Data>(
  connection: Connection,
  operation: Operation<Data>,
  variables: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<Data> {
  const { status, type, body } = await post(connection, { query: operation.document, variables }, signal);
  const parsed = reply.safeParse(json(body));
  if (!parsed.success) {
    throw new CommandError(
      `${connection.url} answered ${status} ${type ?? 'without a content type'}, which is no GraphQL: is the address right? Sluice's ends in /graphql`,
    );
  }
  if (parsed.data.errors !== undefined) throw refusal(parsed.data.errors);
  const data = operation.data.safeParse(parsed.data.data);
  if (!data.success) {
    throw new CommandError(`${connection.url} answered in another shape than this version of sluice expects`, {
      cause: data.error,
    });
  }
  return data.data;
}

async function post(connection: Connection, payload: unknown, signal: AbortSignal) {
  const timeout = AbortSignal.timeout(requestTimeoutMs);
  try {
    const response = await fetch(connection.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/graphql-response+json, application/json',
        ...(connection.authorization === null ? {} : { authorization: connection.authorization }),
      },
      body: JSON.stringify(payload),
      signal: AbortSignal.any([signal, timeout]),
    });
    return { status: response.status, type: response.headers.get('content-type'), body: await response.text() };
  } catch (error) {
    signal.throwIfAborted();
    if (timeout.aborted)
      throw new CommandError(`${connection.url} did not answer within ${requestTimeoutMs / 1_000} s`);
    throw unreachable(connection, error);
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
