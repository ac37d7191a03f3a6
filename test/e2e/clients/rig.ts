import { expect } from 'vitest';
import { ingest, startGatewayWithVendor, type TestGateway } from '../../helpers/gateway.ts';
import type { Vendor } from '../../helpers/vendor/vendor.ts';

/** A gateway with something to find, and the vendor behind it. */
export interface ClientRig extends AsyncDisposable {
  readonly gateway: TestGateway;
  readonly vendor: Vendor;
}

export async function startClientRig(): Promise<ClientRig> {
  await using opened = new AsyncDisposableStack();
  const { gateway, vendor } = opened.use(await startGatewayWithVendor());
  await ingest(gateway, [
    { externalId: 'lighthouse', title: 'The lighthouse', text: 'The lamp of the lighthouse turns twice a minute.' },
    { externalId: 'harbour', title: 'The harbour', text: 'Fishing boats leave the harbour at four in the morning.' },
  ]);
  const resources = opened.move();
  return { gateway, vendor, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

export const searchQuery = `query ClientsSearch($query: String!) {
  search(query: $query, first: 1) { nodes { text document { title } } }
}`;
export const searchVariables = { query: 'When do fishing boats leave?' };
export const found = {
  search: {
    nodes: [{ text: 'Fishing boats leave the harbour at four in the morning.', document: { title: 'The harbour' } }],
  },
};

export const chatSubscription = `subscription ClientsChat($input: StartChatInput!) {
  chat(input: $input) {
    __typename
    seq
    ... on TextMessageDelta { delta }
    ... on RunFinished { run { status ... on ChatRun { reply { text citations { number quote } } } } }
  }
}`;
export const chatVariables = { input: { message: 'How often does the lamp turn?', retrieval: {} } };

export interface ChatEvent {
  readonly __typename: string;
  readonly seq: number;
  readonly delta?: string;
  readonly run?: {
    readonly status: string;
    readonly reply: { readonly text: string; readonly citations: readonly { readonly number: number }[] };
  };
}
export interface ChatData {
  readonly chat: ChatEvent;
}

const answer = 'The lamp turns twice a minute [1]. It has done so for longer than anybody in the village can remember.';
const gateAfterTokens = 8;

/** Runs the chat by a client: `subscribe` hands on every result and resolves when the stream has ended. */
export async function expectStreamedChat(
  vendor: Vendor,
  subscribe: (query: string, variables: typeof chatVariables, onData: (data: ChatData) => void) => Promise<void>,
): Promise<void> {
  const gate = Promise.withResolvers<void>();
  vendor.next({ reply: answer, gates: [{ afterTokens: gateAfterTokens, opened: gate.promise }] });
  const events: ChatEvent[] = [];
  await subscribe(chatSubscription, chatVariables, ({ chat }) => {
    events.push(chat);
    // The vendor goes on only when the client has shown its first words: a transport that collects would wait for ever.
    if (chat.__typename === 'TextMessageDelta') gate.resolve();
  });
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
  const deltas = events.flatMap(({ delta }) => delta ?? []);
  expect(deltas.length).toBeGreaterThan(1);
  expect(deltas.join('')).toBe(answer);
  expect(events.at(-1)).toMatchObject({
    __typename: 'RunFinished',
    run: { status: 'SUCCEEDED', reply: { text: answer, citations: [{ number: 1 }] } },
  });
}

export const deferredQuery = `query ClientsDeferred($query: String!) {
  search(query: $query, first: 1) {
    nodes { text document { title } }
    ... @defer { summary(maxWords: 20) { text } }
  }
}`;
const summary = 'Boats leave at four in the morning [1].';

export interface DeferredData {
  readonly search: typeof found.search & { readonly summary?: { readonly text: string } };
}

/** Runs a search with a deferred summary: `request` hands on the data as it is after every part. */
export async function expectDeferredSummary(
  vendor: Vendor,
  request: (query: string, variables: typeof searchVariables, onData: (data: DeferredData) => void) => Promise<void>,
): Promise<void> {
  const hold = Promise.withResolvers<void>();
  vendor.next({ reply: summary, hold: hold.promise });
  const seen: string[] = [];
  await request(deferredQuery, searchVariables, ({ search }) => {
    const { nodes, summary } = search;
    expect({ search: { nodes } }).toMatchObject(found);
    seen.push(summary?.text ?? 'not yet');
    // The hits must be there before the summary is even begun.
    hold.resolve();
  });
  expect([...new Set(seen)]).toEqual(['not yet', summary]);
}

export async function resultsOf<T>(results: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const result of results) all.push(result);
  return all;
}
