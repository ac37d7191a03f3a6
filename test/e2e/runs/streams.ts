import { WebSocket } from 'ws';
import type { TestGateway } from '../../helpers/gateway.ts';

/** A run event as the operations below select it; what a type does not have is undefined. */
export interface StreamEvent {
  readonly __typename: string;
  readonly runId: string;
  readonly seq: number;
  readonly cursor: string;
  readonly messageId?: string;
  readonly delta?: string;
  readonly finishReason?: string;
  readonly reason?: string;
  readonly resumeFrom?: string;
  readonly error?: RunErrorData;
  readonly usage?: UsageData;
}
export interface RunErrorData {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly retryAfterMs: number | null;
  readonly details: Readonly<Record<string, unknown>> | null;
}
export interface UsageData {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly calls: number;
  readonly estimated: boolean;
}

const usage = 'usage { inputTokens outputTokens calls estimated }';
const runError = 'error { code message retryable retryAfterMs details }';
const eventFields = `
  __typename runId seq cursor
  ... on TextMessageStarted { messageId }
  ... on TextMessageDelta { messageId delta }
  ... on TextMessageEnded { messageId finishReason }
  ... on StreamGap { resumeFrom }
  ... on RunFinished { ${usage} }
  ... on RunFailed { ${runError} ${usage} }
  ... on RunCancelled { reason ${usage} }`;
export const runEventsOperation = `subscription RunsFollow($runId: UUID!, $after: String) {
  event: runEvents(runId: $runId, after: $after) { ${eventFields} }
}`;
export const chatOperation = `subscription RunsChat($input: StartChatInput!, $after: String) {
  event: chat(input: $input, after: $after) { ${eventFields} }
}`;
export const startOperation = `mutation RunsStart($input: StartChatInput!) {
  startChat(input: $input) { run { runId status conversation { id } } }
}`;
export const cancelOperation = `mutation RunsCancel($runId: UUID!) {
  cancelRun(runId: $runId) { run { runId status ${usage} ... on ChatRun { reply { text finishReason } } } }
}`;
const runOperation = `query RunsRun($runId: UUID!) {
  run(runId: $runId) {
    finished {
      runId status ${runError} ${usage} startedAt finishedAt
      ... on ChatRun { conversation { id } reply { id text finishReason usage { outputTokens estimated } } }
    }
  }
}`;
const pageOperation = `query RunsEvents($runId: UUID!, $after: String, $first: Int!) {
  run(runId: $runId) {
    events(after: $after, first: $first) { edges { cursor event: node { ${eventFields} } } pageInfo { hasNextPage endCursor } }
  }
}`;

export interface RunData {
  readonly runId: string;
  readonly status: string;
  readonly error: RunErrorData | null;
  readonly usage: UsageData;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly conversation: { readonly id: string } | null;
  readonly reply: {
    readonly id: string;
    readonly text: string;
    readonly finishReason: string;
    readonly usage: { readonly outputTokens: number; readonly estimated: boolean };
  } | null;
}

/** The run once it has ended; null when there is none. */
export async function runOf(gateway: TestGateway, runId: string): Promise<RunData | null> {
  const { run } = await gateway.data<{ run: { finished: RunData } | null }, unknown>(runOperation, { runId });
  return run?.finished ?? null;
}

/** `run.events`, page by page. */
export async function pagesOf(gateway: TestGateway, runId: string, first: number): Promise<StreamEvent[]> {
  const all: StreamEvent[] = [];
  let after: string | null = null;
  for (;;) {
    const { run }: PageData = await gateway.data<PageData, unknown>(pageOperation, { runId, after, first });
    if (run === null) throw new Error(`there is no run ${runId}`);
    all.push(...run.events.edges.map(({ event }) => event));
    after = run.events.pageInfo.endCursor;
    if (!run.events.pageInfo.hasNextPage) return all;
  }
}
interface PageData {
  readonly run: {
    readonly events: {
      readonly edges: readonly { readonly event: StreamEvent }[];
      readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
    };
  } | null;
}

/** What an operation was refused with. */
export class Refused extends Error {
  readonly errors: readonly { readonly message: string; readonly extensions: Readonly<Record<string, unknown>> }[];

  constructor(errors: Refused['errors']) {
    super(JSON.stringify(errors));
    this.errors = errors;
  }

  get code(): unknown {
    return this.errors[0]?.extensions['code'];
  }
}

export interface Stream extends AsyncIterable<StreamEvent> {
  /** Destroys the TCP socket, as a train in a tunnel does: no close frame, no complete message. */
  cut(): void;
  /** Ends the operation as a client does that has seen enough. */
  leave(): void;
}

/** One subscription on a socket of its own, by the bare protocol: a client library would not let its socket be destroyed. */
export function openStream(
  { webSocketUrl }: Pick<TestGateway, 'webSocketUrl'>,
  query: string,
  variables: Readonly<Record<string, unknown>>,
): Stream {
  const socket = new WebSocket(webSocketUrl, 'graphql-transport-ws');
  const arrived: StreamEvent[] = [];
  let over = false;
  let failure: Error | null = null;
  let wake = () => {};
  const end = (error: Error | null) => {
    over = true;
    failure ??= error;
    wake();
  };
  socket.on('open', () => socket.send(JSON.stringify({ type: 'connection_init' })));
  socket.on('message', (data) => {
    const message = JSON.parse(String(data));
    switch (message.type) {
      case 'connection_ack':
        return socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query, variables } }));
      case 'next':
        if (message.payload.errors) return end(new Refused(message.payload.errors));
        arrived.push(message.payload.data.event);
        return wake();
      case 'error':
        return end(new Refused(message.payload));
      case 'complete':
        end(null);
        return socket.close();
    }
  });
  socket.on('error', () => end(null));
  socket.on('close', () => end(null));
  return {
    cut: () => socket.terminate(),
    leave: () => socket.send(JSON.stringify({ id: '1', type: 'complete' }), () => socket.close()),
    async *[Symbol.asyncIterator]() {
      try {
        for (;;) {
          const event = arrived.shift();
          if (event !== undefined) {
            yield event;
          } else if (over) {
            if (failure) throw failure;
            return;
          } else {
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
          }
        }
      } finally {
        socket.terminate();
      }
    },
  };
}

/** Every event of a subscription, to its end. */
export async function all(stream: AsyncIterable<StreamEvent>): Promise<StreamEvent[]> {
  const events: StreamEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

/** Reads on until an event satisfies; the reader can be read on afterwards. */
export async function until(
  reader: AsyncIterator<StreamEvent>,
  satisfies: (event: StreamEvent) => boolean,
): Promise<StreamEvent> {
  for (;;) {
    const { value, done } = await reader.next();
    if (done) throw new Error('the stream ended before what was waited for');
    if (satisfies(value)) return value;
  }
}

export const isDelta = ({ __typename }: StreamEvent): boolean => __typename === 'TextMessageDelta';
export const textOf = (events: readonly StreamEvent[]): string => events.map(({ delta }) => delta ?? '').join('');
export const namesOf = (events: readonly StreamEvent[]): string[] => [
  ...new Set(events.map(({ __typename }) => __typename)),
];
export const seqsOf = (events: readonly StreamEvent[]): number[] => events.map(({ seq }) => seq);
export const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);
