import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { graphql } from '../../examples/generated/index.ts';
import { ingest, startGateway, type TestGateway } from '../helpers/gateway.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startGateway();
  await ingest(gateway, [
    {
      externalId: 'lighthouse',
      title: 'The lighthouse',
      text: 'The lighthouse keeper lights the lamp at sunset. The lamp turns twice a minute. In winter the keeper stays until March.',
    },
    { externalId: 'harbour', title: 'The harbour', text: 'Fishing boats leave the harbour at four in the morning.' },
  ]);
});
afterAll(() => gateway[Symbol.asyncDispose]());

const chatOperation = graphql(/* GraphQL */ `
  subscription E2eChat($input: StartChatInput!) {
    chat(input: $input) {
      __typename
      seq
      ... on TextMessageDelta { delta }
      ... on SourceCited { citation { number quote title passage { text } } }
      ... on RunFinished { run { status ... on ChatRun { reply { text finishReason citations { number quote } } conversation { title } } } }
      ... on RunFailed { error { code message } }
    }
  }
`);

describe('a chat without a key', () => {
  it('streams a cited answer whose saved reply is its deltas joined', async () => {
    let text = '';
    let deltas = 0;
    const seqs: number[] = [];
    const citations: { number: number; quote: string }[] = [];
    for await (const { chat } of gateway.subscribe(chatOperation, {
      input: { message: 'How often does the lamp turn?', retrieval: {} },
    })) {
      seqs.push(chat.seq);
      if (chat.__typename === 'TextMessageDelta') {
        text += chat.delta;
        deltas += 1;
      }
      if (chat.__typename === 'SourceCited') {
        expect(chat.citation.passage?.text).toContain(chat.citation.quote);
        citations.push({ number: chat.citation.number, quote: chat.citation.quote });
      }
      if (chat.__typename !== 'RunFinished' || !('reply' in chat.run)) continue;
      expect(chat.run.status).toBe('SUCCEEDED');
      expect(chat.run.reply).toEqual({ text, finishReason: 'STOP', citations });
      expect(chat.run.conversation?.title).toBe('How often does the lamp turn?');
    }
    expect(text).toMatch(/twice a minute/);
    expect(text).toMatch(/\[1\]/);
    expect(deltas).toBeGreaterThan(1);
    expect(citations.length).toBeGreaterThan(0);
    expect(seqs).toEqual(seqs.map((_, index) => index + 1));
  });

  it('says that it needs documents when no retrieval was asked for', async () => {
    let text = '';
    for await (const { chat } of gateway.subscribe(chatOperation, {
      input: { message: 'How often does the lamp turn?' },
    })) {
      if (chat.__typename === 'TextMessageDelta') text += chat.delta;
    }
    expect(text).toMatch(/retrieval/);
  });
});
