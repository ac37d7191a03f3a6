import { randomUUID } from 'node:crypto';
import { createClient } from 'graphql-ws';

/**
 * A streamed chat over WebSocket that survives broken connections: it keeps the cursor of the last event, and after a break
 * sends the same operation again with the same runId and that cursor. The run goes on meanwhile, and nothing is paid twice.
 *
 *     node examples/chat-ws.ts "What happens when a client disconnects?"
 */
const url = process.env['SLUICE_WS_URL'] ?? 'ws://127.0.0.1:4000/graphql';
const apiKey = process.env['SLUICE_API_KEY'];

const operation = /* GraphQL */ `
  subscription Chat($input: StartChatInput!, $after: String) {
    chat(input: $input, after: $after) {
      __typename
      cursor
      ... on TextMessageDelta {
        delta
      }
      ... on TextMessageReset {
        reason
      }
      ... on SourceCited {
        citation {
          number
          title
          quote
        }
      }
      ... on RunFailed {
        error {
          code
          message
        }
      }
    }
  }
`;

interface ChatEvent {
  readonly __typename: string;
  readonly cursor: string;
  readonly delta?: string;
  readonly reason?: string;
  readonly citation?: { readonly number: number; readonly title: string | null; readonly quote: string };
  readonly error?: { readonly code: string; readonly message: string };
}

/** The gateway said no, which sending again would not change; everything else is a broken connection. */
class RefusedOperation extends Error {}

const maxBreaks = 10;
const input = {
  // Ours, so that sending the operation again finds the same run.
  runId: randomUUID(),
  message: process.argv[2] ?? 'What happens when a client disconnects?',
  retrieval: {},
};
const client = createClient({
  url,
  ...(apiKey ? { connectionParams: { authorization: `Bearer ${apiKey}` } } : {}),
  // The client's own retry would send the first cursor again and repeat what was printed.
  retryAttempts: 0,
});

let cursor: string | null = null;
const sources: string[] = [];
for (let breaks = 0; ; ) {
  try {
    if (await follow()) break;
    throw new Error('the stream ended before the run did');
  } catch (error) {
    breaks += 1;
    if (isRefused(error) || breaks > maxBreaks) throw error;
    console.error(`\n[connection lost, resuming: ${breaks} of ${maxBreaks}]`);
    await new Promise((resolve) => setTimeout(resolve, 2 ** Math.min(breaks, 5) * 100));
  }
}
console.log(`\n\n${sources.join('\n')}`);
await client.dispose();

/** Follows until the terminal event; false when the stream ended without one. */
async function follow(): Promise<boolean> {
  const results = client.iterate<{ chat: ChatEvent }>({ query: operation, variables: { input, after: cursor } });
  for await (const { data, errors } of results) {
    if (errors) throw new RefusedOperation(errors.map((error) => error.message).join('; '));
    const event = data?.chat;
    if (!event) continue;
    handle(event);
    cursor = event.cursor;
    if (['RunFinished', 'RunFailed', 'RunCancelled'].includes(event.__typename)) return true;
  }
  return false;
}

function handle(event: ChatEvent): void {
  switch (event.__typename) {
    case 'TextMessageDelta':
      process.stdout.write(event.delta ?? '');
      break;
    case 'TextMessageReset':
      sources.length = 0;
      process.stdout.write(`\n[begins again: ${event.reason}]\n`);
      break;
    case 'SourceCited':
      if (event.citation) sources.push(`[${event.citation.number}] ${event.citation.title}: "${event.citation.quote}"`);
      break;
    case 'RunFailed':
      console.error(`\n${event.error?.code}: ${event.error?.message}`);
      process.exitCode = 1;
      break;
  }
}

function isRefused(error: unknown): boolean {
  // graphql-ws rejects with a list of GraphQL errors, or with the event of a socket that was closed.
  if (error instanceof RefusedOperation || Array.isArray(error)) return true;
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
  // 4400–4499 stand for a fault of the client's, such as a wrong key.
  return typeof code === 'number' && code >= 4400 && code < 4500;
}
