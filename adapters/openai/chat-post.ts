import type { IncomingMessage } from 'node:http';
import { APIError } from 'openai';
import type { HttpDoor } from './http-fetch.ts';
import { headersOf, textOf } from './incoming-message.ts';

export interface ChatPostOptions {
  /** With its query. */
  readonly url: URL;
  /** Null takes one of the usual ones away. */
  readonly headers: Readonly<Record<string, string | null>>;
}

/** Sends a chat and resolves with the reply as it begins, or rejects with the SDK's error for a status that is none of success. */
export type ChatPost = (body: object, signal: AbortSignal) => Promise<IncomingMessage>;

/** Without the SDK in between, whose request, response and headers cost more than all that is done with a short reply. */
export function createChatPost(door: HttpDoor, { url, headers }: ChatPostOptions): ChatPost {
  const sent = new Headers({ Accept: 'text/event-stream', 'Content-Type': 'application/json' });
  for (const [name, value] of Object.entries(headers)) {
    if (value === null) sent.delete(name);
    else sent.set(name, value);
  }
  const fixed = Object.fromEntries(sent);
  return (body, signal) =>
    door.send(url, { method: 'POST', headers: fixed, signal }, JSON.stringify(body)).then(succeeded);
}

function succeeded(message: IncomingMessage): IncomingMessage | Promise<never> {
  const status = message.statusCode ?? 502;
  return status >= 200 && status < 300 ? message : refused(message, status);
}

async function refused(message: IncomingMessage, status: number): Promise<never> {
  const text = await textOf(message);
  const answer = parsed(text);
  throw APIError.generate(status, answer, answer === undefined ? text : undefined, headersOf(message));
}

function parsed(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
