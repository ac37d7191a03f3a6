import { expect } from 'vitest';
import type { Vendor } from '../../helpers/vendor/vendor.ts';
import type { GraphqlClient } from './graphql-client.ts';

export const chatSubscription = `subscription ClientsChat($input: StartChatInput!) {
  chat(input: $input) {
    __typename
    seq
    ... on TextMessageDelta { delta }
    ... on RunFinished { run { status ... on ChatRun { reply { text citations { number quote } } } } }
  }
}`;
export const chatVariables = { input: { message: 'How often does the lamp turn?', retrieval: {} } };

interface ChatEvent {
  readonly __typename: string;
  readonly seq: number;
  readonly delta?: string;
}

const answer = 'The lamp turns twice a minute [1]. It has done so for longer than anybody in the village can remember.';
const gateAfterTokens = 8;

export async function expectStreamedChat(
  vendor: Vendor,
  { subscribe }: Pick<GraphqlClient, 'subscribe'>,
): Promise<void> {
  const gate = Promise.withResolvers<void>();
  vendor.next({ reply: answer, gates: [{ afterTokens: gateAfterTokens, opened: gate.promise }] });
  const events: ChatEvent[] = [];
  await subscribe<{ chat: ChatEvent }>(chatSubscription, chatVariables, ({ chat }) => {
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
