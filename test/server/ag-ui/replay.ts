import { AbstractAgent } from '@ag-ui/client';
import type { BaseEvent, Message } from '@ag-ui/core';
import { from } from 'rxjs';
import type { AgUiEvent } from '../../../server/ag-ui/events.ts';

/** The official client without its HTTP: it verifies and applies what it is given, and drops nothing silently. */
class ReplayAgent extends AbstractAgent {
  readonly #events: readonly BaseEvent[];

  constructor(events: readonly AgUiEvent[], messages: readonly Message[]) {
    super({ threadId: 'thread', initialMessages: [...messages] });
    this.#events = events.map((event) => ({ ...event }) as BaseEvent); // ours are a subset of the protocol's
  }

  run() {
    return from(this.#events);
  }
}

/** The messages that a client has which had `messages` and then met this stream; rejects when the stream is not in order. */
export async function appliedTo(messages: readonly Message[], events: readonly AgUiEvent[]): Promise<Message[]> {
  const agent = new ReplayAgent(events, messages);
  await agent.runAgent({ runId: 'run' }, { onRunFailed: () => undefined });
  return agent.messages;
}
