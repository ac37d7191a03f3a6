import { randomUUID } from 'node:crypto';
import { type AgentSubscriber, HttpAgent, verifyEvents } from '@ag-ui/client';
import type { BaseEvent, Message, RunAgentInput } from '@ag-ui/core';
import { EventSchemas } from '@ag-ui/core/schemas';
import { createParser } from 'eventsource-parser';
import { from, lastValueFrom, toArray } from 'rxjs';
import type { TestGateway } from '../../helpers/gateway.ts';

export const agUiUrl = (gateway: TestGateway): string => gateway.url.replace(/\/graphql$/, '/ag-ui');

/** A run as the official client sees it; `verifyEvents` is in its pipeline, and `runAgent` rejects with what that finds. */
export interface AgentRun {
  readonly events: readonly BaseEvent[];
  readonly types: readonly string[];
  /** The conversation afterwards, as the client applied it. */
  readonly messages: readonly Message[];
  readonly result: unknown;
}

export interface AgentOptions {
  readonly messages?: readonly Message[];
  readonly threadId?: string;
  readonly runId?: string;
  readonly forwardedProps?: Readonly<Record<string, unknown>>;
  readonly context?: RunAgentInput['context'];
  readonly headers?: Record<string, string>;
  /** Is called with every event, and may stop the run. */
  readonly onEvent?: (event: BaseEvent, agent: HttpAgent) => void;
}

export async function runAgent(gateway: TestGateway, text: string, options: AgentOptions = {}): Promise<AgentRun> {
  const { onEvent } = options;
  const agent = new HttpAgent({
    url: agUiUrl(gateway),
    threadId: options.threadId ?? randomUUID(),
    initialMessages: [...(options.messages ?? []), userMessage(text)],
    headers: options.headers ?? {},
  });
  const events: BaseEvent[] = [];
  const subscriber: AgentSubscriber = {
    onEvent: ({ event }) => {
      events.push(event);
      onEvent?.(event, agent);
    },
  };
  const { result } = await agent.runAgent(
    {
      runId: options.runId ?? randomUUID(),
      forwardedProps: options.forwardedProps ?? {},
      ...(options.context ? { context: options.context } : {}),
    },
    subscriber,
  );
  return { events, types: typesOf(events), messages: agent.messages, result };
}

export function userMessage(content: string): Message {
  return { id: randomUUID(), role: 'user', content };
}

/** A body as the client would send it, for requests by hand. */
export function agentInput(text: string, input: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    threadId: 'thread-1',
    runId: randomUUID(),
    protocolVersion: '1.0',
    messages: [userMessage(text)],
    tools: [],
    context: [],
    state: {},
    forwardedProps: {},
    ...input,
  };
}

export interface Frame {
  readonly id: string;
  readonly event: BaseEvent;
}

export interface RawRequest {
  readonly headers?: Readonly<Record<string, string>>;
  /** Cuts the connection once it says so. */
  readonly cutAt?: (frame: Frame) => boolean;
  readonly onFrame?: (frame: Frame) => void;
}

/** One request by hand: the frames of its stream, each checked against the protocol's schema. */
export async function frames(gateway: TestGateway, body: unknown, request: RawRequest = {}): Promise<Frame[]> {
  const cut = new AbortController();
  const response = await post(gateway, body, { headers: request.headers ?? {}, signal: cut.signal });
  if (!response.ok || response.body === null) throw new Error(`HTTP ${response.status}: ${await response.text()}`);
  const received: Frame[] = [];
  const parser = createParser({
    onEvent: ({ id, data }) => {
      if (cut.signal.aborted) return;
      const frame = { id: id ?? '', event: EventSchemas.parse(JSON.parse(data)) as BaseEvent };
      received.push(frame);
      request.onFrame?.(frame);
      if (request.cutAt?.(frame)) cut.abort();
    },
  });
  const decoder = new TextDecoder();
  try {
    for await (const chunk of response.body) parser.feed(decoder.decode(chunk, { stream: true }));
  } catch (error) {
    if (!cut.signal.aborted) throw error;
  }
  return received;
}

export function post(
  gateway: TestGateway,
  body: unknown,
  init: { readonly headers?: Readonly<Record<string, string>>; readonly signal?: AbortSignal } = {},
): Promise<Response> {
  return fetch(agUiUrl(gateway), {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...init.headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...(init.signal ? { signal: init.signal } : {}),
  });
}

/** Rejects with what is wrong in the order of the events. */
export function verified(events: readonly BaseEvent[]): Promise<BaseEvent[]> {
  return lastValueFrom(from(events).pipe(verifyEvents(), toArray()));
}

export function typesOf(events: readonly BaseEvent[]): string[] {
  return events.map(({ type }) => type);
}

/** One error of an answer that was refused before its stream. */
export async function refusalOf(response: Response): Promise<{ status: number; code: string; message: string }> {
  const { errors } = (await response.json()) as { errors: { message: string; extensions: { code: string } }[] };
  const [error] = errors;
  if (error === undefined) throw new Error('an error answer without an error');
  return { status: response.status, code: error.extensions.code, message: error.message };
}
