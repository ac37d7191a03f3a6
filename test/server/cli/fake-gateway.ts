import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { buildSchema, GraphQLError } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { createSchema, createYoga, type Plugin } from 'graphql-yoga';
import { WebSocketServer } from 'ws';
import { FakeRun } from './fake-run.ts';

const typeDefs = readFileSync(new URL('fake-gateway.graphql', import.meta.url), 'utf8');

export interface ChatRequest {
  readonly runId: string;
  readonly message: string;
  readonly conversationId?: string;
  readonly model?: string;
  readonly retrieval?: { readonly in: string };
}
export interface SentDocument {
  readonly externalId: string;
  readonly text: string;
  readonly title: string | null;
  readonly url: string | null;
  readonly metadata: Record<string, unknown>;
}

export interface FakeGatewayOptions {
  /** Required of every request and socket. */
  readonly apiKey?: string;
  /** Writes a chat run's events. */
  readonly chat?: (run: FakeRun, request: ChatRequest) => void | Promise<void>;
  /** Writes an ingest run's events; without it every document is ingested. */
  readonly ingest?: (run: FakeRun, documents: readonly SentDocument[]) => void | Promise<void>;
  /** Cuts each of the first sockets after so many messages. */
  readonly cutAfter?: readonly number[];
  readonly search?: (variables: Record<string, unknown>) => unknown;
  readonly collections?: readonly string[];
}

/** A gateway as far as the commands see one: real HTTP, real sockets, a vendor-free core. */
export async function startFakeGateway(options: FakeGatewayOptions = {}) {
  const runs = new Map<string, FakeRun>();
  const collections = new Set(options.collections ?? ['default']);
  const chats: ChatRequest[] = [];
  const subscribed: { readonly after: string | null }[] = [];
  const ingests: { readonly in: string; readonly documents: readonly SentDocument[] }[] = [];
  const cancels: string[] = [];
  const authorizations: unknown[] = [];

  const follow = (runId: string, after: string | null) => {
    subscribed.push({ after });
    const run = runs.get(runId);
    if (run === undefined) throw refusal('NOT_FOUND', `there is no run ${runId}`);
    return run.follow(after === null ? 0 : Number(after.slice('cursor-'.length)));
  };
  const resolvers = {
    Run: { __resolveType: (run: { __typename: string }) => run.__typename },
    RunEvent: { __resolveType: (event: { __typename: string }) => event.__typename },
    Query: {
      search: (_: unknown, variables: Record<string, unknown>) => options.search?.(variables) ?? null,
      run: (_: unknown, { runId }: { runId: string }) => runs.get(runId)?.record() ?? null,
    },
    Mutation: {
      startIngest: (_: unknown, { input }: { input: { runId: string; in: string; documents: SentDocument[] } }) => {
        if (!collections.has(input.in)) throw refusal('NOT_FOUND', `there is no collection "${input.in}"`);
        const run = new FakeRun(input.runId, 'INGEST');
        runs.set(input.runId, run);
        ingests.push({ in: input.in, documents: input.documents });
        run.facts = {
          documentsTotal: input.documents.length,
          documentsDone: input.documents.length,
          documentsSkipped: 0,
          failures: [],
        };
        void (options.ingest ?? ingestEverything)(run, input.documents);
        return { run: run.record() };
      },
      createCollection: (_: unknown, { input }: { input: { name: string } }) => {
        collections.add(input.name);
        return { collection: { name: input.name } };
      },
      cancelRun: (_: unknown, { runId }: { runId: string }) => {
        cancels.push(runId);
        const run = runs.get(runId);
        if (run === undefined) throw refusal('NOT_FOUND', `there is no run ${runId}`);
        run.cancel();
        return { run: run.record() };
      },
    },
    Subscription: {
      runEvents: {
        subscribe: (_: unknown, { runId, after }: { runId: string; after?: string | null }) =>
          follow(runId, after ?? null),
        resolve: (event: unknown) => event,
      },
      chat: {
        subscribe: (_: unknown, { input, after }: { input: ChatRequest; after?: string | null }) => {
          if (!runs.has(input.runId)) {
            chats.push(input);
            const run = new FakeRun(input.runId, 'CHAT');
            run.facts = { conversation: { id: input.conversationId ?? `conversation-${chats.length}` } };
            runs.set(input.runId, run);
            void options.chat?.(run, input);
          }
          return follow(input.runId, after ?? null);
        },
        resolve: (event: unknown) => event,
      },
    },
  };

  const expected = options.apiKey === undefined ? undefined : `Bearer ${options.apiKey}`;
  const requireKey: Plugin = {
    onExecute({ args }) {
      const authorization: unknown = args.contextValue.request.headers.get('authorization');
      authorizations.push(authorization);
      if (expected !== undefined && authorization !== expected) {
        throw refusal('UNAUTHENTICATED', 'this gateway wants an API key');
      }
    },
  };
  const schema = createSchema({ typeDefs, resolvers });
  const yoga = createYoga({
    schema,
    logging: false,
    maskedErrors: false,
    plugins: [requireKey],
  });
  const server = createServer(yoga);
  const sockets = new WebSocketServer({ server, path: '/graphql' });
  let opened = 0;
  sockets.on('connection', (socket, request) => {
    const cut = options.cutAfter?.[opened];
    opened += 1;
    if (cut === undefined) return;
    let sent = 0;
    const send = socket.send.bind(socket);
    // The client gets a number of events and then no close frame: what a broken network looks like.
    socket.send = (data: string, ...rest: never[]) => {
      if (sent >= cut) return void request.socket.destroy();
      if (data.includes('"next"')) sent += 1;
      send(data, ...rest);
    };
  });
  useServer(
    {
      schema,
      onConnect: ({ connectionParams }) => {
        authorizations.push(connectionParams?.['authorization'] ?? null);
        return expected === undefined || connectionParams?.['authorization'] === expected;
      },
    },
    sockets,
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the fake gateway has no port');

  return {
    url: `http://127.0.0.1:${address.port}/graphql`,
    chats,
    subscribed,
    ingests,
    cancels,
    authorizations,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** For checking the commands' operations without a server. */
export const fakeSchema = buildSchema(typeDefs);

function refusal(code: string, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code } });
}

function ingestEverything(run: FakeRun, documents: readonly SentDocument[]): void {
  documents.forEach((_, index) => {
    run.append({ __typename: 'ProgressReported', done: index + 1, total: documents.length });
  });
  run.append({ __typename: 'RunFinished' });
}
