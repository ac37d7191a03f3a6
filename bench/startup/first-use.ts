import type { GatewayProcess } from '../../test/helpers/gateway-process.ts';

const questions = [
  'how do I start the gateway',
  'environment variables',
  'where is the data stored',
  'streaming tokens over a subscription',
  'resume after a lost connection',
  'cancel a run',
  'ingest documents',
  'collections',
  'metadata filter',
  'hybrid ranking',
  'embedding model',
  'error codes',
  'time limits',
  'OpenAI compatible provider',
  'API key',
  'conversation branches',
  'citations and quotes',
  'GraphiQL',
  'health and readiness',
  'PostgreSQL',
];

/** One operation with 20 aliased searches over the docs that a new gateway holds. */
export async function twentySearches(
  gateway: GatewayProcess,
): Promise<{ readonly answered: number; readonly ms: number }> {
  const fields = questions.map(
    (question, index) =>
      `s${index}: search(query: ${JSON.stringify(question)}) { edges { score node { text document { title } } } }`,
  );
  const begun = performance.now();
  const results = await gateway.data<Record<string, { edges: unknown[] }>>(`{ ${fields.join('\n')} }`);
  return {
    answered: Object.values(results).filter(({ edges }) => edges.length > 0).length,
    ms: performance.now() - begun,
  };
}

interface ChatEvent {
  readonly __typename: string;
  readonly delta?: string;
  readonly run?: { readonly status: string; readonly reply: { readonly text: string } | null };
  readonly error?: { readonly message: string };
}

/** One streamed and cited answer, over a WebSocket. */
export async function chatOverTheDocs(gateway: GatewayProcess): Promise<{
  readonly deltas: number;
  readonly citations: number;
  readonly firstTextMs: number;
  readonly savedAsStreamed: boolean;
}> {
  const operation = `subscription StartupChat($input: StartChatInput!) {
    chat(input: $input) {
      __typename
      ... on TextMessageDelta { delta }
      ... on SourceCited { citation { number } }
      ... on RunFinished { run { status ... on ChatRun { reply { text } } } }
      ... on RunFailed { error { message } }
    }
  }`;
  const input = { message: 'How do I follow a run again after the connection was lost?', retrieval: {} };
  const begun = performance.now();
  let firstTextMs = Number.NaN;
  const deltas: string[] = [];
  let citations = 0;
  let saved: string | undefined;
  for await (const { chat } of gateway.subscribe<{ chat: ChatEvent }>(operation, { input })) {
    if (chat.__typename === 'TextMessageDelta') {
      if (deltas.length === 0) firstTextMs = performance.now() - begun;
      deltas.push(chat.delta ?? '');
    }
    if (chat.__typename === 'SourceCited') citations += 1;
    if (chat.__typename === 'RunFailed') throw new Error(`the chat failed: ${chat.error?.message}`);
    saved = chat.run?.reply?.text ?? saved;
  }
  return { deltas: deltas.length, citations, firstTextMs, savedAsStreamed: saved === deltas.join('') };
}
