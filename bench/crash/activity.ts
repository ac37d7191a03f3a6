import { randomUUID } from 'node:crypto';
import type { GatewayProcess } from '../../test/helpers/gateway-process.ts';
import { crashDocument } from './documents.ts';
import type { Ledger } from './ledger.ts';

export type Provider = 'local' | 'vendor';
/** The collection whose embeddings come from this provider. */
export const collectionOf = (provider: Provider): string => `crash-${provider}`;
const documentCount = 40;

/** Ingests and chats until the gateway is gone; then resolves. What was confirmed meanwhile stands in the ledger. */
export async function keepBusy(
  gateway: GatewayProcess,
  ledger: Ledger,
  provider: Provider,
  random: () => number,
): Promise<void> {
  const loops = [
    ingestLoop(gateway, ledger, provider, random),
    ...[0, 1].map((place) => chatLoop(gateway, ledger, place)),
  ];
  await Promise.all(loops.map((loop) => loop.catch((error: unknown) => assertGone(error))));
}

/** Runs of one to eight documents, mostly few, one after the other. Half of the later ones change metadata alone, which needs no embedding. */
async function ingestLoop(
  gateway: GatewayProcess,
  ledger: Ledger,
  provider: Provider,
  random: () => number,
): Promise<never> {
  const textRevisions = new Map<string, number>();
  for (;;) {
    const ids = new Set(
      Array.from({ length: 1 + Math.floor(random() ** 2 * 8) }, () => Math.floor(random() * documentCount)),
    );
    const revision = nextRevision();
    const documents = [...ids].map((id) => {
      const externalId = `${provider}-keeper-${id}`;
      const known = textRevisions.get(externalId);
      const textRevision = known !== undefined && random() < 0.5 ? known : revision;
      textRevisions.set(externalId, textRevision);
      return crashDocument(externalId, revision, textRevision);
    });
    const runId = randomUUID();
    const entry = ledger.begin(runId, 'INGEST');
    await gateway.data(
      `mutation CrashIngest($input: StartIngestInput!) { startIngest(input: $input) { run { runId } } }`,
      {
        input: { runId, in: collectionOf(provider), documents },
      },
    );
    entry.confirmed = true;
    const { run } = await gateway.data<{ run: { finished: { status: string; error: { message: string } | null } } }>(
      `query CrashFinished($runId: UUID!) { run(runId: $runId) { finished { status error { message } } } }`,
      { runId },
    );
    if (run.finished.status !== 'SUCCEEDED') throw new Error(`an ingest failed: ${JSON.stringify(run.finished)}`);
    entry.finished = true;
    for (const { externalId } of documents) ledger.written.set(externalId, revision);
  }
}

/** Ever higher, over all rounds: a later write wins. */
let revisions = 0;
function nextRevision(): number {
  revisions += 1;
  return revisions;
}

async function chatLoop(gateway: GatewayProcess, ledger: Ledger, place: number): Promise<never> {
  for (let turn = 1; ; turn += 1) {
    await chat(gateway, ledger, [...ledger.conversations][place] ?? null, `Turn ${turn}: who lights the lamp?`);
  }
}

interface ChatEvent {
  readonly __typename: string;
  readonly delta?: string;
  readonly error?: { readonly message: string };
  readonly run?: { readonly conversation: { readonly id: string } | null };
}

/** One turn, followed to its end; a new conversation when there is none. Returns the reply's text. */
export async function chat(
  gateway: GatewayProcess,
  ledger: Ledger,
  conversationId: string | null,
  message: string,
): Promise<string> {
  const operation = `subscription CrashChat($input: StartChatInput!) {
    chat(input: $input) {
      __typename
      ... on TextMessageDelta { delta }
      ... on RunFinished { run { ... on ChatRun { conversation { id } } } }
      ... on RunFailed { error { message } }
    }
  }`;
  const runId = randomUUID();
  const entry = ledger.begin(runId, 'CHAT');
  const input = {
    runId,
    message,
    retrieval: { in: collectionOf('local') },
    ...(conversationId === null ? {} : { conversationId }),
  };
  let text = '';
  for await (const { chat: event } of gateway.subscribe<{ chat: ChatEvent }>(operation, { input })) {
    entry.confirmed = true;
    text += event.delta ?? '';
    if (event.__typename === 'RunFailed') throw new Error(`a chat failed: ${event.error?.message}`);
    if (event.__typename !== 'RunFinished') continue;
    entry.finished = true;
    entry.reply = text;
    if (event.run?.conversation) ledger.conversations.add(event.run.conversation.id);
  }
  if (!entry.finished) throw new Error('the stream of a chat ended without its end');
  return text;
}

/** Killing the gateway ends every request with a broken connection; anything else that ends one is a fault. */
function assertGone(error: unknown): void {
  const text = error instanceof Error ? `${error.message} ${String(error.cause)}` : JSON.stringify(error);
  if (error instanceof Error && /fetch failed|terminated|socket|ECONN/i.test(text)) return;
  // graphql-ws rejects with an event of its socket: its end, or its failure to open, whose fields JSON does not show.
  if (typeof error === 'object' && error !== null && 'code' in error && error.code === 1006) return;
  if (typeof error === 'object' && error !== null && 'message' in error && /ECONN|hang up/.test(String(error.message)))
    return;
  if (/ECONNREFUSED|ECONNRESET|socket hang up|1006/.test(text)) return;
  throw error;
}
