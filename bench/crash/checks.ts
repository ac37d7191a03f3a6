import { setTimeout as sleep } from 'node:timers/promises';
import type { GatewayProcess } from '../../test/helpers/gateway-process.ts';
import { collectionOf, type Provider } from './activity.ts';
import { documentFaults, type StoredDocument } from './documents.ts';
import type { Ledger, RunEntry } from './ledger.ts';

const endsWithinMs = 60_000;

/** What does not hold after a restart; nothing when everything does. */
export async function faultsAfterRestart(
  gateway: GatewayProcess,
  ledger: Ledger,
  provider: Provider,
): Promise<string[]> {
  return [
    // Before everything else: the rest looks at what they leave.
    ...(await openRuns(gateway)),
    ...(await runs(gateway, ledger)),
    ...(await documents(gateway, ledger, provider)),
    ...(await conversations(gateway, ledger)),
  ];
}

/** What was cut off goes on by itself, to an end. */
async function openRuns(gateway: GatewayProcess): Promise<string[]> {
  const { queued, running } = await gateway.data<
    Record<'queued' | 'running', { edges: { node: { runId: string } }[] }>
  >(
    `query CrashOpenRuns {
      queued: runs(status: QUEUED) { edges { node { runId } } }
      running: runs(status: RUNNING) { edges { node { runId } } }
    }`,
  );
  const finished = `query CrashOpenRun($runId: UUID!) { run(runId: $runId) { finished { status } } }`;
  const ends = [...queued.edges, ...running.edges].map(async ({ node: { runId } }) => {
    const end = gateway.data(finished, { runId }).then(() => []);
    const late = sleep(endsWithinMs, [`run ${runId} has no end`], { ref: false });
    return await Promise.race([end, late]);
  });
  return (await Promise.all(ends)).flat();
}

interface RunView {
  readonly status: string;
  readonly error: { readonly code: string; readonly retryable: boolean } | null;
  readonly reply?: { readonly text: string } | null;
  readonly events: { readonly edges: readonly { readonly node: { readonly __typename: string } }[] };
}

async function runs(gateway: GatewayProcess, ledger: Ledger): Promise<string[]> {
  const faults: string[] = [];
  for (const [runId, entry] of ledger.runs) {
    const { run } = await gateway.data<{ run: RunView | null }>(
      `query CrashRun($runId: UUID!) {
        run(runId: $runId) {
          status
          error { code retryable }
          events { edges { node { __typename } } }
          ... on ChatRun { reply { text } }
        }
      }`,
      { runId },
    );
    faults.push(...runFaults(entry, run).map((fault) => `${entry.kind} run ${runId}: ${fault}`));
    if (run !== null) faults.push(...(await followed(gateway, runId)));
  }
  return faults;
}

function runFaults(entry: RunEntry, run: RunView | null): string[] {
  if (run === null) return entry.confirmed ? ['is gone, though it had been confirmed'] : [];
  const faults: string[] = [];
  const last = run.events.edges.at(-1)?.node.__typename;
  if (last !== (run.status === 'SUCCEEDED' ? 'RunFinished' : 'RunFailed'))
    faults.push(`${run.status}, events end with ${last}`);
  if (entry.finished && run.status !== 'SUCCEEDED') faults.push(`is ${run.status}, though its end had been seen`);
  if (run.status === 'FAILED' && run.error?.retryable !== true) faults.push(`failed with ${JSON.stringify(run.error)}`);
  if (entry.reply !== null && run.reply?.text !== entry.reply) faults.push('has another reply than was streamed');
  if (run.status === 'SUCCEEDED' && run.reply === null) faults.push('succeeded without a reply');
  return faults;
}

/** A client that comes back to a run's stream gets its end as well. */
async function followed(gateway: GatewayProcess, runId: string): Promise<string[]> {
  let last = 'nothing';
  const operation = `subscription CrashFollow($runId: UUID!) { runEvents(runId: $runId) { __typename } }`;
  const events = gateway.subscribe<{ runEvents: { __typename: string } }>(operation, { runId });
  for await (const { runEvents } of events) last = runEvents.__typename;
  return /^Run(Finished|Failed)$/.test(last) ? [] : [`run ${runId}, followed again, ended with ${last}`];
}

async function documents(gateway: GatewayProcess, ledger: Ledger, provider: Provider): Promise<string[]> {
  const faults: string[] = [];
  const revisions = new Map<string, number>();
  for (const each of ['local', 'vendor'] as const) {
    const stored = await documentsOf(gateway, collectionOf(each));
    faults.push(...stored.flatMap(documentFaults));
    for (const { externalId, metadata } of stored) revisions.set(externalId, metadata.revision);
    const [newest] = stored;
    // Without the vendor nothing embeds a query for its collection.
    if (newest !== undefined && (each === 'local' || provider === 'vendor')) {
      faults.push(...(await searched(gateway, collectionOf(each), newest)));
    }
  }
  for (const [externalId, revision] of ledger.written) {
    const found = revisions.get(externalId);
    if (found === undefined || found < revision)
      faults.push(`document ${externalId}: ${found} where ${revision} was written`);
  }
  return faults;
}

async function documentsOf(gateway: GatewayProcess, name: string): Promise<StoredDocument[]> {
  const { collection } = await gateway.data<{
    collection: { documents: { edges: { node: StoredDocument }[] } } | null;
  }>(
    `query CrashDocuments($name: String!) {
      collection(name: $name) {
        documents(first: 100) {
          edges { node { externalId metadata passages(first: 100) { totalCount edges { node { position text } } } } }
        }
      }
    }`,
    { name },
  );
  return collection?.documents.edges.map(({ node }) => node) ?? [];
}

/** Each passage is found by its words and by its meaning: words and vectors were written with it. */
async function searched(
  gateway: GatewayProcess,
  name: string,
  { externalId, metadata, passages }: StoredDocument,
): Promise<string[]> {
  const { search } = await gateway.data<{
    search: { edges: { vectorScore: number | null; keywordScore: number | null }[] };
  }>(
    `query CrashSearch($query: String!, $in: String!, $filter: MetadataFilter!) {
      search(query: $query, in: $in, filter: $filter, perDocument: null, first: 100) { edges { vectorScore keywordScore node { document { externalId } } } }
    }`,
    {
      query: 'which sentence tells of the keeper and the lamp',
      in: name,
      filter: { field: 'revision', equals: metadata.revision },
    },
  );
  if (search.edges.length < passages.totalCount)
    return [`document ${externalId}: ${search.edges.length} passages found`];
  const bare = search.edges.filter(({ vectorScore, keywordScore }) => vectorScore === null || !keywordScore);
  return bare.length === 0 ? [] : [`revision ${metadata.revision}: ${bare.length} passages without words or vector`];
}

interface MessageView {
  readonly id: string;
  readonly role: string;
  readonly parentId: string | null;
  readonly text: string;
}

interface Paged<T> {
  readonly edges: readonly { readonly node: T }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

/** Of each conversation, that every message has its parent, and questions and replies their order. */
async function conversations(gateway: GatewayProcess, ledger: Ledger): Promise<string[]> {
  const found = await allOf(async (after) => {
    const { conversations: page } = await gateway.data<{ conversations: Paged<{ id: string }> }>(
      `query CrashConversations($after: String) {
        conversations(first: 100, after: $after) { edges { node { id } } pageInfo { hasNextPage endCursor } }
      }`,
      { after },
    );
    return page;
  });
  const ids = new Set(found.map(({ id }) => id));
  const faults = [...ledger.conversations].filter((id) => !ids.has(id)).map((id) => `conversation ${id} is gone`);
  for (const id of ids) faults.push(...messageFaults(id, await messagesOf(gateway, id)));
  return faults;
}

function messagesOf(gateway: GatewayProcess, id: string): Promise<MessageView[]> {
  return allOf(async (after) => {
    const { node } = await gateway.data<{ node: { messages: Paged<MessageView> } }>(
      `query CrashMessages($id: ID!, $after: String) {
        node(id: $id) { ... on Conversation {
          messages(first: 500, after: $after) { edges { node { id role parentId text } } pageInfo { hasNextPage endCursor } }
        } }
      }`,
      { id, after },
    );
    return node.messages;
  });
}

function messageFaults(conversation: string, messages: readonly MessageView[]): string[] {
  if (messages.length === 0) return [`conversation ${conversation} has no message`];
  const faults: string[] = [];
  let parent: MessageView | null = null;
  for (const message of messages) {
    const expected = parent?.id ?? null;
    if (message.parentId !== expected)
      faults.push(`message ${message.id} has the parent ${message.parentId}, not ${expected}`);
    if (message.role === 'ASSISTANT' && parent?.role !== 'USER') faults.push(`message ${message.id} answers nothing`);
    parent = message;
  }
  return faults;
}

async function allOf<T>(pageAfter: (cursor: string | null) => Promise<Paged<T>>): Promise<T[]> {
  const all: T[] = [];
  for (let cursor: string | null = null, more = true; more; ) {
    const { edges, pageInfo } = await pageAfter(cursor);
    all.push(...edges.map(({ node }) => node));
    cursor = pageInfo.endCursor;
    more = pageInfo.hasNextPage;
  }
  return all;
}
