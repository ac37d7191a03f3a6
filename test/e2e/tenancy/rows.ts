import { randomUUID } from 'node:crypto';
import type { Things } from './tenants.ts';

/** One operation on the things of a tenant, whoever asks. */
export interface Row {
  /** `Type.field` of a root, and `node` of a type that has ids, that this row stands for. */
  readonly of: string;
  readonly query: string;
  readonly variables?: (things: Things) => Readonly<Record<string, unknown>>;
  /** What the owner gets: its own things, which the marker tells (`shown`), or an answer without it; `taken`: they are gone then. */
  readonly owner: 'shown' | 'answered' | 'taken';
  /** What a stranger gets is its own, whatever it asks for: it need not be the same as for things of nobody. */
  readonly ofCaller?: boolean;
}

const byId = (id: keyof Things) => (things: Things) => ({ id: things[id] });
const run = 'status user metadata error { message } events(first: 50) { edges { node { __typename ...Said } } }';
const said =
  'fragment Said on RunEvent { seq ... on TextMessageDelta { delta } ... on SourceCited { citation { quote title } } }';
const fields: Readonly<Record<string, string>> = {
  Agent: 'name description members { instructions }',
  AgentRun: `${run} goal steps { title output } output { text citations { quote title } } conversation { title }`,
  AgentStep: 'title output citations { quote } dependsOn { title }',
  ApiKey: 'name prefix tenant scopes revokedAt',
  ChatRun: `${run} conversation { id title } reply { text citations { quote title } }`,
  Collection: 'name documentCount documents { edges { node { title } } }',
  Conversation: 'title user messages { edges { node { text } } }',
  Document:
    'title externalId metadata collection { name } passages { edges { node { text } } } similar { node { text } }',
  IngestRun: `${run} collection { name } failures { message }`,
  Message: 'text citations { quote title passage { text } }',
  Passage: 'text document { title }',
  Profile: 'externalId interests metadata interactionCount',
};
const ids: Readonly<Record<string, keyof Things>> = {
  Agent: 'agentId',
  AgentRun: 'agentRunId',
  AgentStep: 'agentStepId',
  ApiKey: 'apiKeyId',
  ChatRun: 'chatRunId',
  Collection: 'collectionId',
  Conversation: 'conversationId',
  Document: 'documentId',
  IngestRun: 'ingestRunId',
  Message: 'messageId',
  Passage: 'passageId',
  Profile: 'profileId',
};

const nodes: Row[] = Object.entries(fields).map(([type, selection]) => ({
  of: `node ${type}`,
  query: `query ($id: ID!) { node(id: $id) { id ... on ${type} { ${selection} } } } ${selection.includes('...Said') ? said : ''}`,
  variables: byId(ids[type] ?? 'apiKeyId'),
  // Agents are the gateway's: the same for everybody.
  ...(type === 'Agent' ? { owner: 'answered', ofCaller: true } : { owner: 'shown' }),
}));

export const rows: readonly Row[] = [
  ...nodes,
  {
    of: 'Query.node',
    query: 'query ($id: ID!) { node(id: $id) { id ... on Document { title } } }',
    variables: byId('documentId'),
    owner: 'shown',
  },
  {
    of: 'Query.nodes',
    query: 'query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on Document { title } ... on Message { text } } }',
    variables: ({ documentId, messageId, apiKeyId }) => ({ ids: [documentId, messageId, apiKeyId] }),
    owner: 'shown',
  },
  {
    of: 'Query.viewer',
    query: '{ viewer { tenant keyName scopes limits { tokensPerMinute } usage { total { calls } } } }',
    owner: 'shown',
    ofCaller: true,
  },
  { of: 'Query.models', query: '{ models { name provider } }', owner: 'answered' },
  { of: 'Query.agents', query: '{ agents { name members { instructions } } }', owner: 'answered' },
  { of: 'Query.agent', query: '{ agent(name: "assistant") { name } }', owner: 'answered' },
  { of: 'Query.health', query: '{ health { ok components { name detail } } }', owner: 'answered' },
  {
    of: 'Query.search',
    query: `query ($in: String!) {
      search(query: "lamp", in: $in, perDocument: null) { edges { node { text document { title } } highlights } summary { text } }
    }`,
    variables: ({ collection }) => ({ in: collection }),
    owner: 'shown',
  },
  { of: 'Query.embedding', query: '{ embedding(text: "lamp") { model tokens } }', owner: 'answered' },
  { of: 'Query.collections', query: '{ collections { edges { node { name } } } }', owner: 'shown', ofCaller: true },
  {
    of: 'Query.collection',
    query: 'query ($name: String!) { collection(name: $name) { name documents { edges { node { title } } } } }',
    variables: ({ collection }) => ({ name: collection }),
    owner: 'shown',
  },
  {
    of: 'Query.conversations',
    query: '{ conversations { edges { node { title messages { edges { node { text } } } } } } }',
    owner: 'shown',
    ofCaller: true,
  },
  {
    of: 'Query.run',
    query: `query ($runId: UUID!) { run(runId: $runId) { ${run} ... on ChatRun { reply { text } } } } ${said}`,
    variables: ({ chatRun }) => ({ runId: chatRun }),
    owner: 'shown',
  },
  {
    of: 'Query.run',
    query: `query ($runId: UUID!) { run(runId: $runId) { ${run} ... on IngestRun { collection { name } } } } ${said}`,
    variables: ({ ingestRun }) => ({ runId: ingestRun }),
    owner: 'shown',
  },
  { of: 'Query.runs', query: '{ runs { edges { node { user runId } } } }', owner: 'shown', ofCaller: true },
  { of: 'Query.apiKeys', query: '{ apiKeys { edges { node { name prefix } } } }', owner: 'shown', ofCaller: true },
  {
    of: 'Query.apiKeys',
    query: 'query ($tenant: String) { apiKeys(tenant: $tenant) { edges { node { name prefix } } } }',
    variables: ({ tenant }) => ({ tenant }),
    owner: 'shown',
  },
  {
    of: 'Query.profile',
    query: 'query ($name: String!) { profile(externalId: $name) { externalId interests metadata } }',
    variables: ({ person }) => ({ name: person }),
    owner: 'shown',
  },
  {
    of: 'Query.recommendations',
    query: `query ($id: ID!, $in: String!) {
      recommendations(profile: $id, in: $in) { edges { node { title metadata } because { title } explanation } }
    }`,
    variables: ({ profileId, collection }) => ({ id: profileId, in: collection }),
    owner: 'shown',
  },
  {
    of: 'Query.recommendations',
    query: `query ($name: String!, $in: String!) {
      profile(externalId: $name) { recommendations(in: $in) { edges { node { title } } } }
    }`,
    variables: ({ person, collection }) => ({ name: person, in: collection }),
    owner: 'shown',
  },
  {
    of: 'Mutation.recordInteractions',
    query: `mutation ($id: ID!, $in: String!, $document: String!) {
      recordInteractions(input: { profile: $id, in: $in, interactions: [{ externalId: $document, kind: VIEW }] }) {
        recorded profile { externalId interests }
      }
    }`,
    variables: ({ profileId, collection, externalId }) => ({ id: profileId, in: collection, document: externalId }),
    owner: 'shown',
  },
  {
    of: 'Mutation.startChat',
    query: `mutation ($id: ID!) {
      startChat(input: { conversationId: $id, message: "And now?" }) { run { conversation { title } reply { text } } }
    }`,
    variables: byId('conversationId'),
    owner: 'shown',
  },
  {
    of: 'Mutation.startChat',
    query: `mutation ($id: ID!) {
      startChat(input: { parentMessageId: $id, message: "And now?" }) { run { conversation { title } reply { text } } }
    }`,
    variables: byId('messageId'),
    owner: 'shown',
  },
  {
    of: 'Mutation.startChat',
    query: `mutation ($in: String!) {
      startChat(input: { message: "What does the lamp do?", retrieval: { in: $in } }) { run { reply { citations { quote } } } }
    }`,
    variables: ({ collection }) => ({ in: collection }),
    owner: 'shown',
  },
  {
    of: 'Mutation.startAgent',
    query: `mutation ($in: String!) {
      startAgent(input: { agent: "research-team", goal: "What does the lamp do?", retrieval: { in: $in } }) {
        run { steps { output } output { text citations { quote } } }
      }
    }`,
    variables: ({ collection }) => ({ in: collection }),
    owner: 'shown',
  },
  {
    of: 'Mutation.startAgent',
    query: `mutation ($id: ID!) {
      startAgent(input: { agent: "assistant", goal: "And now?", conversationId: $id }) { run { conversation { title } output { text } } }
    }`,
    variables: byId('conversationId'),
    owner: 'shown',
  },
  {
    of: 'Mutation.startIngest',
    query: `mutation ($in: String!) {
      startIngest(input: { in: $in, documents: [{ externalId: "more", text: "More." }] }) { run { collection { name } finished { status } } }
    }`,
    variables: ({ collection }) => ({ in: collection }),
    owner: 'shown',
  },
  {
    of: 'Mutation.cancelRun',
    query: `mutation ($runId: UUID!) { cancelRun(runId: $runId) { run { ${run} } } } ${said}`,
    variables: ({ ingestRun }) => ({ runId: ingestRun }),
    owner: 'answered',
  },
  {
    of: 'Mutation.resolveApproval',
    query: `mutation ($runId: UUID!, $call: ID!) {
      resolveApproval(input: { runId: $runId, toolCallId: $call, approve: true }) { run { ${run} } }
    } ${said}`,
    variables: ({ waitingRun, waitingCall }) => ({ runId: waitingRun, call: waitingCall }),
    owner: 'answered',
  },
  {
    of: 'Mutation.submitToolResult',
    query: `mutation ($runId: UUID!, $call: ID!) {
      submitToolResult(input: { runId: $runId, toolCallId: $call, result: 1 }) { run { ${run} } }
    } ${said}`,
    variables: ({ waitingRun, waitingCall }) => ({ runId: waitingRun, call: waitingCall }),
    owner: 'taken',
  },
  {
    of: 'Mutation.deleteDocuments',
    query: 'mutation ($in: String!, $ids: [String!]) { deleteDocuments(in: $in, externalIds: $ids) { deletedCount } }',
    variables: ({ collection, externalId }) => ({ in: collection, ids: [externalId] }),
    owner: 'taken',
  },
  {
    of: 'Mutation.deleteCollection',
    query: 'mutation ($name: String!) { deleteCollection(name: $name) { deletedCount } }',
    variables: ({ collection }) => ({ name: collection }),
    owner: 'taken',
  },
  {
    of: 'Mutation.updateConversation',
    query:
      'mutation ($id: ID!) { updateConversation(input: { id: $id, title: "taken" }) { conversation { title user } } }',
    variables: byId('conversationId'),
    owner: 'taken',
  },
  {
    of: 'Mutation.updateConversation',
    query: 'mutation ($id: ID!) { updateConversation(input: { id: $id }) { conversation { title user } } }',
    variables: byId('conversationId'),
    owner: 'shown',
  },
  {
    of: 'Mutation.deleteConversation',
    query: 'mutation ($id: ID!) { deleteConversation(id: $id) { deletedCount } }',
    variables: byId('conversationId'),
    owner: 'taken',
  },
  {
    of: 'Mutation.deleteProfile',
    query: 'mutation ($id: ID!) { deleteProfile(id: $id) { deletedCount } }',
    variables: byId('profileId'),
    owner: 'taken',
  },
  {
    of: 'Mutation.createApiKey',
    query: `mutation ($tenant: String!, $name: String!) {
      createApiKey(input: { tenant: $tenant, name: $name, scopes: [SEARCH] }) { apiKey { tenant name } }
    }`,
    variables: ({ tenant }) => ({ tenant, name: `made ${randomUUID()}` }),
    owner: 'answered',
  },
  {
    of: 'Mutation.revokeApiKey',
    query: 'mutation ($id: ID!) { revokeApiKey(id: $id) { deletedCount } }',
    variables: byId('apiKeyId'),
    owner: 'taken',
  },
  {
    of: 'Subscription.runEvents',
    query: `subscription ($runId: UUID!) { runEvents(runId: $runId) { __typename ...Said } } ${said}`,
    variables: ({ chatRun }) => ({ runId: chatRun }),
    owner: 'shown',
  },
  {
    of: 'Subscription.runEvents',
    query: `subscription ($runId: UUID!, $after: String) { runEvents(runId: $runId, after: $after) { __typename ...Said } } ${said}`,
    variables: ({ chatRun, runCursor }) => ({ runId: chatRun, after: runCursor }),
    owner: 'shown',
  },
  {
    of: 'Subscription.chat',
    query: `subscription ($id: ID!) { chat(input: { conversationId: $id, message: "And now?" }) { __typename ...Said } } ${said}`,
    variables: byId('conversationId'),
    owner: 'shown',
  },
  {
    of: 'Subscription.agent',
    query: `subscription ($in: String!) {
      agent(input: { agent: "research-team", goal: "What does the lamp do?", retrieval: { in: $in } }) { __typename ...Said }
    } ${said}`,
    variables: ({ collection }) => ({ in: collection }),
    owner: 'shown',
  },
  {
    of: 'Subscription.agent',
    query: `subscription ($runId: UUID!) {
      agent(input: { agent: "assistant", goal: "Hello?", runId: $runId }) { __typename ...Said }
    } ${said}`,
    variables: ({ agentRun }) => ({ runId: agentRun }),
    owner: 'answered',
    ofCaller: true,
  },
  // Last: from here on the stranger has a collection of this name, and a run of this id.
  {
    of: 'Mutation.createCollection',
    query:
      'mutation ($name: String!) { createCollection(input: { name: $name }) { collection { name documentCount } } }',
    variables: ({ collection }) => ({ name: collection }),
    owner: 'answered',
    ofCaller: true,
  },
  {
    // As is the name of a profile.
    of: 'Mutation.upsertProfile',
    query:
      'mutation ($name: String!) { upsertProfile(input: { externalId: $name }) { profile { interests metadata } } }',
    variables: ({ person }) => ({ name: person }),
    owner: 'answered',
    ofCaller: true,
  },
  {
    // A run's id is unique within its tenant: the stranger's run is another one.
    of: 'Mutation.startChat',
    query:
      'mutation ($runId: UUID!) { startChat(input: { runId: $runId, message: "Mine." }) { run { reply { text } } } }',
    variables: ({ chatRun }) => ({ runId: chatRun }),
    owner: 'answered',
    ofCaller: true,
  },
];
