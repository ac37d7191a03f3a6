import { APIError } from 'openai';
import { type HttpDoor, pathOf } from './http-door.ts';
import type { IncomingReply } from './incoming-reply.ts';

export interface ChatPostOptions {
  /** With its query. */
  readonly url: URL;
  /** Null takes one of the usual ones away. */
  readonly headers: Readonly<Record<string, string | null>>;
}

/** Sends a chat and resolves with the reply as it begins, or rejects with the SDK's error for a status that is none of success. */
export type ChatPost = (body: object, signal: AbortSignal) => Promise<IncomingReply>;

/** Without the SDK in between, whose request, response and headers cost more than all that is done with a short reply. */
export function createChatPost(door: HttpDoor, { url, headers }: ChatPostOptions): ChatPost {
  const sent = new Headers({ Accept: 'text/event-stream', 'Content-Type': 'application/json' });
  for (const [name, value] of Object.entries(headers)) {
    if (value === null) sent.delete(name);
    else sent.set(name, value);
  }
  const fixed = Object.fromEntries(sent);
  const path = pathOf(url);
  return (body, signal) =>
    door.send(path, { method: 'POST', headers: fixed, signal }, JSON.stringify(body)).then(succeeded);
}

function succeeded(reply: IncomingReply): IncomingReply | Promise<never> {
  return reply.status >= 200 && reply.status < 300 ? reply : refused(reply);
}

async function refused(reply: IncomingReply): Promise<never> {
  const text = await reply.text();
  const answer = parsed(text);
  throw APIError.generate(reply.status, answer, answer === undefined ? text : undefined, reply.headers());
}

function parsed(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
