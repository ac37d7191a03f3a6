import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ingest, startGateway, type TestGateway } from '../../helpers/gateway.ts';
import { type CitationView, chat, refusal } from './turn.ts';

const opened = new AsyncDisposableStack();
let gateway: TestGateway;

beforeAll(async () => {
  gateway = opened.use(await startGateway());
  await ingest(gateway, [
    {
      externalId: 'lighthouse',
      title: 'The lighthouse',
      text: 'The lighthouse keeper lights the lamp at sunset. The lamp turns twice a minute. In winter the keeper stays until March.',
    },
    { externalId: 'harbour', title: 'The harbour', text: 'Fishing boats leave the harbour at four in the morning.' },
  ]);
});
afterAll(() => opened.disposeAsync());

describe('without a key', () => {
  it('a conversation grows, branches, and cites in every turn', async () => {
    const first = await chat(gateway, { message: 'How often does the lamp turn?', retrieval: {}, user: 'ada' });
    expect(first.reply).toMatchObject({ model: 'extractive', finishReason: 'STOP', text: first.text });
    expect(first.text).toContain('twice a minute');
    for (const { quote, passage } of first.cited) expect(passage?.text).toContain(quote);
    expect(first.usage).toMatchObject({ costUsd: 0, estimated: true });
    const again = await chat(gateway, { parentMessageId: first.reply?.parentId, retrieval: {} });
    expect(again.text).toBe(first.text);
    expect(again.conversation).toEqual(first.conversation);
    const anew = await chat(gateway, {
      parentMessageId: first.conversation?.id,
      message: 'When do fishing boats leave the harbour?',
      retrieval: {},
    });
    expect(anew.text).toContain('four in the morning');
    expect(anew.conversation?.id).toBe(first.conversation?.id);
  });

  it('an app keeps the conversation itself', async () => {
    const turn = await chat(gateway, {
      store: false,
      history: [
        { role: 'USER', text: 'Hello.' },
        { role: 'ASSISTANT', text: 'I quote documents.' },
      ],
      message: 'When does the keeper light the lamp?',
      retrieval: {},
    });
    expect(turn).toMatchObject({ status: 'SUCCEEDED', conversation: null });
    expect(turn.text).toContain('at sunset');
    expect(turn.reply?.text).toBe(turn.text);
  });

  it('sampling has nothing to act on and is taken, and limits hold', async () => {
    const input = { message: 'How often does the lamp turn?', retrieval: {} };
    const plain = await chat(gateway, input);
    const sampled = await chat(gateway, { ...input, temperature: 1.5, seed: 3, reasoningEffort: 'HIGH' });
    expect(sampled.text).toBe(plain.text);
    const short = await chat(gateway, { ...input, maxOutputTokens: 3 });
    expect(short.reply?.finishReason).toBe('LENGTH');
    expect(plain.text.startsWith(short.text)).toBe(true);
  });

  it.each([
    ['verify', { verify: true, retrieval: {} }, /verify needs a generative model; extractive of provider local/],
    ['responseSchema', { responseSchema: { type: 'object' } }, /responseSchema needs a generative model; extractive/],
    ['retrieval.rerank', { retrieval: { rerank: true } }, /retrieval\.rerank needs a generative model; extractive/],
    [
      'attachments',
      { attachments: [{ mimeType: 'image/png', base64: 'AAAA' }] },
      /extractive reads no attachments; attachments\[0\] is of type "image\/png"/,
    ],
    ['another model', { model: 'gpt-4.1-mini' }, /gpt-4\.1-mini/],
    ['the embedding model as a chat model', { model: 'all-MiniLM-L6-v2' }, /all-MiniLM-L6-v2.*CHAT/],
  ])('%s is refused, and says what is missing', async (_name, input, message) => {
    expect(await refusal(gateway, { message: 'How often does the lamp turn?', ...input })).toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringMatching(message),
    });
  });

  it('a search is summarised and cited, but not reranked', async () => {
    const summary = 'text model citations { number quote passage { text } } usage { costUsd calls }';
    const { data, errors } = await gateway.request<
      {
        search: {
          summary: { text: string; model: string; citations: CitationView[]; usage: { costUsd: number } };
          nodes: { document: { summary: { text: string; citations: CitationView[] } } }[];
        };
        reranked: null;
      },
      unknown
    >(`query KeylessSearch {
      search(query: "How often does the lamp turn?") { summary(maxWords: 30) { ${summary} } nodes { document { summary { ${summary} } } } }
      reranked: search(query: "lamp", rerank: true) { nodes { id } }
    }`);
    expect(errors).toEqual([
      expect.objectContaining({
        path: ['reranked'],
        message: expect.stringMatching(/rerank needs a generative model; extractive/),
      }),
    ]);
    expect(errors?.[0]?.extensions.code).toBe('BAD_INPUT');
    const texts = [data?.search.summary, ...(data?.search.nodes ?? []).map(({ document }) => document.summary)];
    expect(texts.length).toBeGreaterThan(1);
    for (const text of texts) {
      expect(text?.text).toContain('[1]');
      for (const { quote, passage } of text?.citations ?? []) expect(passage?.text).toContain(quote);
    }
    expect(data?.search.summary).toMatchObject({ model: 'extractive', usage: { costUsd: 0 } });
  });
});
