import { randomUUID } from 'node:crypto';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deferredQuery, expectDeferredSummary } from './deferred-summary.ts';
import { type ClientRig, found, searchQuery, searchVariables, startClientRig } from './rig.ts';
import { chatSubscription, chatVariables, expectStreamedChat } from './streamed-chat.ts';

let rig: ClientRig;

beforeAll(async () => {
  rig = await startClientRig();
});
afterAll(() => rig[Symbol.asyncDispose]());

describe('plain fetch', () => {
  it('runs a query by POST and by GET', async () => {
    const posted = await post('application/graphql-response+json', searchQuery, searchVariables);
    expect(await posted.json()).toEqual({ data: found });
    const parameters = new URLSearchParams({ query: searchQuery, variables: JSON.stringify(searchVariables) });
    const got = await fetch(`${rig.gateway.url}?${parameters}`, { headers: { accept: 'application/json' } });
    expect(await got.json()).toEqual({ data: found });
  });

  it('runs a chat by server-sent events, which next and complete events carry', async () => {
    const names: (string | undefined)[] = [];
    await expectStreamedChat(rig.vendor, {
      async subscribe(query, variables, onData) {
        const response = await post('text/event-stream', query, variables);
        expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
        expect(response.headers.get('x-accel-buffering')).toBe('no');
        for await (const { event, data } of eventsOf(response)) {
          names.push(event);
          if (event === 'next') onData(JSON.parse(data).data);
        }
      },
    });
    expect(names.at(-1)).toBe('complete');
    expect(new Set(names.slice(0, -1))).toEqual(new Set(['next']));
  });

  it('is told by one event of a subscription that is refused, which was tried once', async () => {
    const lookedUp = () => rig.gateway.statements.get('collections-by-names') ?? 0;
    const before = lookedUp();
    const input = { ...chatVariables.input, retrieval: { in: 'nowhere' } };
    const response = await post('text/event-stream', chatSubscription, { input });
    const told: { event: string | undefined; data: string }[] = [];
    for await (const { event, data } of eventsOf(response)) told.push({ event, data });
    expect(told.map(({ event }) => event)).toEqual(['next', 'complete']);
    expect(JSON.parse(told[0]?.data ?? '').errors).toEqual([
      expect.objectContaining({ extensions: expect.objectContaining({ code: 'NOT_FOUND' }) }),
    ]);
    expect(lookedUp()).toBe(before + 1);
  });
});

describe('@defer', () => {
  it('sends the hits first and the summary as a part of the incremental format of 2022', async () => {
    const parts: unknown[] = [];
    await expectDeferredSummary(
      rig.vendor,
      async <Data>(query: string, variables: Record<string, unknown>, onData: (data: Data) => void) => {
        const response = await post('multipart/mixed', query, variables);
        expect(response.headers.get('content-type')).toBe('multipart/mixed; boundary="-"');
        for await (const part of partsOf(response)) {
          parts.push(part);
          if (part.data) onData(part.data as Data);
          else onData({ search: { ...found.search, ...part.incremental?.[0]?.data } } as Data);
        }
      },
    );
    // GraphiQL, Apollo (Defer20220824Handler) and urql merge this one; what later drafts send, GraphiQL merges wrongly.
    expect(parts).toEqual([
      { data: found, hasNext: true },
      {
        incremental: [{ data: { summary: { text: 'Boats leave at four in the morning [1].' } }, path: ['search'] }],
        hasNext: false,
      },
    ]);
  });
});

describe('a client that takes one JSON answer only', () => {
  const refused = {
    errors: [
      {
        message:
          'A result of several parts needs the header accept: text/event-stream or multipart/mixed, got application/json.',
        extensions: { code: 'BAD_INPUT', retryable: false },
      },
    ],
  };

  it('is told so for @defer', async () => {
    const response = await post('application/json', deferredQuery, searchVariables);
    expect(response.status).toBe(406);
    expect(await response.json()).toEqual(refused);
  });

  it('is told so for a subscription, which starts no run', async () => {
    const runId = randomUUID();
    const variables = { input: { ...chatVariables.input, runId } };
    const response = await post('application/json', chatSubscription, variables);
    expect(response.status).toBe(406);
    expect(await response.json()).toEqual(refused);
    expect(
      await rig.gateway.data(`query ClientsRun($runId: UUID!) { run(runId: $runId) { status } }`, { runId }),
    ).toEqual({ run: null });
  });
});

function post(accept: string, query: string, variables: object): Promise<Response> {
  return fetch(rig.gateway.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept },
    body: JSON.stringify({ query, variables }),
  });
}

function eventsOf({ body }: Response) {
  if (body === null) throw new Error('the answer has no body');
  return body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
}

interface Part {
  readonly data?: typeof found;
  readonly incremental?: readonly { readonly data: { readonly summary: { readonly text: string } } }[];
}

/** The JSON of every part, as soon as the part has come: one is whole when the next boundary has begun. */
async function* partsOf({ body }: Response): AsyncGenerator<Part> {
  if (body === null) throw new Error('the answer has no body');
  let text = '';
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const pieces = text.split('\r\n---');
    text = pieces.pop() ?? '';
    for (const piece of pieces) {
      const [, json] = piece.split('\r\n\r\n');
      if (json) yield JSON.parse(json);
    }
  }
  expect(text).toBe('--\r\n');
}
