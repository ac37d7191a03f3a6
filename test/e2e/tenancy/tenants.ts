import { randomUUID } from 'node:crypto';
import type { Scope } from '../../../core/contracts/api-key-store.ts';
import { type CreatedKey, createKey } from '../../helpers/api-keys.ts';
import type { TestGateway } from '../../helpers/gateway.ts';

/** All that a tenant may have: keys that do not reach beyond it. */
const ofOneTenant: readonly Scope[] = ['SEARCH', 'CHAT', 'AGENT', 'INGEST', 'RECOMMEND', 'ADMIN'];

/** What identifies things of a tenant: what the rows of the matrix ask for. */
export interface Things {
  readonly tenant: string;
  readonly collection: string;
  readonly externalId: string;
  readonly collectionId: string;
  readonly documentId: string;
  readonly passageId: string;
  readonly conversationId: string;
  readonly messageId: string;
  readonly chatRunId: string;
  readonly chatRun: string;
  readonly agentId: string;
  readonly agentRunId: string;
  readonly agentRun: string;
  readonly agentStepId: string;
  /** It waits for the app to answer a call. */
  readonly waitingRun: string;
  readonly waitingCall: string;
  readonly ingestRunId: string;
  readonly ingestRun: string;
  readonly apiKeyId: string;
  readonly runCursor: string;
  readonly person: string;
  readonly profileId: string;
}

export interface Tenant {
  readonly key: CreatedKey;
  /** Stands in every text, title and name of the tenant. */
  readonly marker: string;
  readonly things: Things;
}

/** A tenant that has one thing of each kind, named by a marker of its own. */
export async function startTenant(gateway: TestGateway, name: string, keeper: string): Promise<Tenant> {
  const marker = `${name}marker`;
  const key = await createKey(gateway, { name: `${marker} key`, tenant: name, scopes: ofOneTenant }, keeper);
  const ask = async <T>(query: string, variables: object = {}): Promise<T> => {
    const { data, errors } = await gateway.request<T, object>(query, variables, { headers: key.headers });
    if (!data || errors) throw new Error(`the tenant could not be prepared: ${JSON.stringify(errors)}`);
    return data;
  };
  const collection = `${marker}-collection`;
  const { createCollection } = await ask<Created>(
    'mutation ($name: String!) { createCollection(input: { name: $name }) { collection { id } } }',
    { name: collection },
  );
  const externalId = `${marker}-document`;
  const documents = [{ externalId, title: `${marker} title`, text: `The ${marker} lamp turns.`, metadata: { marker } }];
  const { startIngest } = await ask<Ingested>(
    `mutation ($in: String!, $documents: [DocumentInput!]!) {
      startIngest(input: { in: $in, documents: $documents }) { run { id runId finished { status } } }
    }`,
    { in: collection, documents },
  );
  const { search } = await ask<Found>(
    'query ($in: String!) { search(query: "lamp", in: $in) { nodes { id document { id } } } }',
    { in: collection },
  );
  const { startChat } = await ask<Chatted>(
    `mutation ($input: StartChatInput!) {
      startChat(input: $input) {
        run { id runId reply { id } conversation { id } events(first: 1) { pageInfo { endCursor } } }
      }
    }`,
    { input: { message: `What does the ${marker} lamp do?`, user: `${marker}-user`, retrieval: { in: collection } } },
  );
  const { startAgent } = await ask<Worked>(
    `mutation ($input: StartAgentInput!) { startAgent(input: $input) { run { id runId finished { agent { id } steps { id } } } } }`,
    {
      input: {
        agent: 'research-team',
        goal: `What does the ${marker} lamp do?`,
        user: `${marker}-user`,
        retrieval: { in: collection },
      },
    },
  );
  const { run } = startChat;
  const waiting = await startWaiting(ask, marker);
  const person = `${marker}-person`;
  const { upsertProfile } = await ask<Upserted>(
    'mutation ($input: UpsertProfileInput!) { upsertProfile(input: $input) { profile { id } } }',
    { input: { externalId: person, interests: [`${marker} lamps`], metadata: { marker } } },
  );
  return {
    key,
    marker,
    things: {
      tenant: name,
      collection,
      externalId,
      collectionId: createCollection.collection.id,
      documentId: search.nodes[0]?.document.id ?? '',
      passageId: search.nodes[0]?.id ?? '',
      conversationId: run.conversation.id,
      messageId: run.reply.id,
      chatRunId: run.id,
      chatRun: run.runId,
      agentId: startAgent.run.finished.agent.id,
      agentRunId: startAgent.run.id,
      agentRun: startAgent.run.runId,
      agentStepId: startAgent.run.finished.steps[0]?.id ?? '',
      ...waiting,
      ingestRunId: startIngest.run.id,
      ingestRun: startIngest.run.runId,
      apiKeyId: key.id,
      runCursor: run.events.pageInfo.endCursor,
      person,
      profileId: upsertProfile.profile.id,
    },
  };
}

/** A run whose model has called a tool that the app runs itself. */
async function startWaiting(
  ask: <T>(query: string, variables?: object) => Promise<T>,
  marker: string,
): Promise<Pick<Things, 'waitingRun' | 'waitingCall'>> {
  const parameters = { type: 'object', properties: { of: { type: 'string', enum: [marker] } }, required: ['of'] };
  const { startChat } = await ask<{ startChat: { run: { runId: string } } }>(
    'mutation ($input: StartChatInput!) { startChat(input: $input) { run { runId } } }',
    {
      input: {
        message: `Where is the ${marker} lamp?`,
        clientTools: [{ name: 'locate', description: `Where ${marker} is.`, parameters }],
        toolChoice: 'locate',
      },
    },
  );
  const { runId: waitingRun } = startChat.run;
  const query = `query ($runId: UUID!) {
    run(runId: $runId) { status events { edges { node { ... on ToolCallEnded { toolCallId } } } } }
  }`;
  for (;;) {
    const { run } = await ask<Waiting>(query, { runId: waitingRun });
    const calls = run.events.edges.flatMap(({ node }) => node.toolCallId ?? []);
    if (run.status === 'AWAITING_TOOL_RESULT') return { waitingRun, waitingCall: calls[0] ?? '' };
    if (run.status !== 'QUEUED' && run.status !== 'RUNNING') throw new Error(`the waiting run is ${run.status}`);
  }
}

interface Waiting {
  readonly run: {
    readonly status: string;
    readonly events: { readonly edges: readonly { readonly node: { readonly toolCallId?: string } }[] };
  };
}

/** The same kinds of things, of nobody: well-formed, and not there. */
export function nobodysThings(runCursor: string): Things {
  const id = (type: string): string => Buffer.from(`${type}:${randomUUID()}`).toString('base64url');
  return {
    tenant: 'nobody',
    collection: 'nobodys-collection',
    externalId: 'nobodys-document',
    collectionId: id('Collection'),
    documentId: id('Document'),
    passageId: id('Passage'),
    conversationId: id('Conversation'),
    messageId: id('Message'),
    chatRunId: id('ChatRun'),
    chatRun: randomUUID(),
    agentId: Buffer.from('Agent:nobodys').toString('base64url'),
    agentRunId: id('AgentRun'),
    agentRun: randomUUID(),
    agentStepId: Buffer.from(`AgentStep:${randomUUID()}/look-up-1`).toString('base64url'),
    waitingRun: randomUUID(),
    waitingCall: `call_${randomUUID()}`,
    ingestRunId: id('IngestRun'),
    ingestRun: randomUUID(),
    apiKeyId: id('ApiKey'),
    runCursor,
    person: 'nobodys-person',
    profileId: id('Profile'),
  };
}

interface Created {
  readonly createCollection: { readonly collection: { readonly id: string } };
}
interface Ingested {
  readonly startIngest: { readonly run: { readonly id: string; readonly runId: string } };
}
interface Found {
  readonly search: { readonly nodes: readonly { readonly id: string; readonly document: { readonly id: string } }[] };
}
interface Worked {
  readonly startAgent: {
    readonly run: {
      readonly id: string;
      readonly runId: string;
      readonly finished: {
        readonly agent: { readonly id: string };
        readonly steps: readonly { readonly id: string }[];
      };
    };
  };
}
interface Upserted {
  readonly upsertProfile: { readonly profile: { readonly id: string } };
}
interface Chatted {
  readonly startChat: {
    readonly run: {
      readonly id: string;
      readonly runId: string;
      readonly reply: { readonly id: string };
      readonly conversation: { readonly id: string };
      readonly events: { readonly pageInfo: { readonly endCursor: string } };
    };
  };
}
