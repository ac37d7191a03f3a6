import type { GatewayProcess } from '../../helpers/gateway-process.ts';
import type { KnownName } from './known-names.ts';

/** Something of each kind to ask for, and the ids and cursors that it has. */
export async function prepare(gateway: GatewayProcess): Promise<Readonly<Record<KnownName, string>>> {
  const { startIngest } = await gateway.data<{ startIngest: { run: { runId: string; finished: { status: string } } } }>(
    `mutation ($documents: [DocumentInput!]!) {
      startIngest(input: { documents: $documents }) { run { runId finished { status } } }
    }`,
    { documents },
  );
  const chats = [];
  for (const message of ['How often does the lamp turn?', 'And in winter?']) {
    const { startChat } = await gateway.data<{ startChat: { run: ChatRun } }>(
      `mutation ($message: String!) {
        startChat(input: { message: $message, retrieval: {} }) {
          run { id runId reply { id } conversation { id } events(first: 1) { pageInfo { endCursor } } }
        }
      }`,
      { message },
    );
    chats.push(startChat.run);
  }
  const { search, collection } = await gateway.data<Found>(`{
    search(query: "lamp", first: 1) { nodes { id document { id } } pageInfo { endCursor } }
    collection(name: "default") { id documents(first: 1) { pageInfo { endCursor } } }
  }`);
  await gateway.data('mutation { createCollection(input: { name: "scratch" }) { collection { id } } }');
  const [chat, spare] = chats;
  const [passage] = search.nodes;
  if (chat === undefined || spare === undefined || passage === undefined || chat.reply === null)
    throw new Error('there is nothing to ask for');
  return {
    documentId: passage.document.id,
    passageId: passage.id,
    collectionId: collection.id,
    conversationId: chat.conversation.id,
    spareConversationId: spare.conversation.id,
    messageId: chat.reply.id,
    chatRunId: chat.id,
    chatRunUuid: chat.runId,
    ingestRunUuid: startIngest.run.runId,
    searchCursor: search.pageInfo.endCursor,
    runCursor: chat.events.pageInfo.endCursor,
    documentCursor: collection.documents.pageInfo.endCursor,
  };
}

interface PageInfo {
  readonly pageInfo: { readonly endCursor: string };
}
interface ChatRun {
  readonly id: string;
  readonly runId: string;
  readonly reply: { readonly id: string } | null;
  readonly conversation: { readonly id: string };
  readonly events: PageInfo;
}
interface Found {
  readonly search: PageInfo & {
    readonly nodes: readonly { readonly id: string; readonly document: { readonly id: string } }[];
  };
  readonly collection: { readonly id: string; readonly documents: PageInfo };
}

const documents = [
  {
    externalId: 'lighthouse',
    title: 'The lighthouse',
    text: 'The lamp is lit at sunset. The lamp turns twice a minute.',
    metadata: { team: 'a', year: 1900, author: { name: 'Ada' } },
  },
  {
    externalId: 'harbour',
    text: 'Boats leave the harbour at four. The lamp shows them the way.',
    metadata: { team: 'b', year: '1900' },
  },
  { externalId: 'island', text: '# Island\n\nNobody lives on the island but otters.', metadata: {} },
];
