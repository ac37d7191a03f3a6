import type { CallOptions } from '../core/models/models.ts';
import type { Services } from '../core/services.ts';
import { BelowSearches } from './below-searches.ts';
import { branchLoader } from './branch-loader.ts';
import { collectionByNameLoader } from './collection-by-name-loader.ts';
import { collectionCountsLoader } from './collection-counts-loader.ts';
import { collectionLoader } from './collection-loader.ts';
import { conversationLoader } from './conversation-loader.ts';
import { documentLoader } from './document-loader.ts';
import { documentsPageLoader } from './documents-page-loader.ts';
import { embeddingLoader } from './embedding-loader.ts';
import { explanationLoader } from './explanation-loader.ts';
import { interactionCountLoader } from './interaction-count-loader.ts';
import { messageLoader } from './message-loader.ts';
import { passageLoader } from './passage-loader.ts';
import { passagesPageLoader } from './passages-page-loader.ts';
import { pendingApprovalsLoader } from './pending-approvals-loader.ts';
import { profileByExternalIdLoader, profileLoader } from './profile-loader.ts';
import { recommendationLoader } from './recommendation-loader.ts';
import { runLoader } from './run-loader.ts';
import { searchLoader } from './search-loader.ts';
import { similarLoader } from './similar-loader.ts';

interface OperationCall extends CallOptions {
  readonly belowSearches: BelowSearches;
}

const makers = {
  collection: ({ collections }, call) => collectionLoader(collections, call),
  collectionByName: ({ collections }, call) => collectionByNameLoader(collections, call),
  collectionCounts: ({ collections }, call) => collectionCountsLoader(collections, call),
  document: ({ documents }, call) => documentLoader(documents, call),
  documentsPage: ({ documents }, call) => documentsPageLoader(documents, call),
  passage: ({ documents }, call) => passageLoader(documents, call),
  passagesPage: ({ documents }, call) => passagesPageLoader(documents, call),
  similar: ({ searchIndex }, call) => similarLoader(searchIndex, call),
  search: (services, call) => searchLoader(services, call),
  embedding: ({ models }, call) => embeddingLoader(models, call),
  conversation: ({ conversations }, call) => conversationLoader(conversations, call),
  message: ({ conversations }, call) => messageLoader(conversations, call),
  branch: ({ conversations }, call) => branchLoader(conversations, call),
  pendingApprovals: ({ parkedRuns }, call) => pendingApprovalsLoader(parkedRuns, call),
  run: ({ runs }, call) => runLoader(runs, call),
  profile: ({ profiles }, call) => profileLoader(profiles, call),
  profileByExternalId: ({ profiles }, call) => profileByExternalIdLoader(profiles, call),
  interactionCount: ({ profiles }, call) => interactionCountLoader(profiles, call),
  recommendation: (services, call) => recommendationLoader(services, call),
  explanation: (services, call) => explanationLoader(services, call),
} satisfies Readonly<Record<string, (services: Services, call: OperationCall) => unknown>>;

export type Loaders = { readonly [Name in keyof typeof makers]: ReturnType<(typeof makers)[Name]> };

class RequestLoaders {
  readonly services: Services;
  readonly #call: CallOptions;
  #own: OperationCall | undefined;

  constructor(services: Services, call: CallOptions) {
    this.services = services;
    this.#call = call;
  }

  get call(): OperationCall {
    this.#own ??= { ...this.#call, belowSearches: new BelowSearches() };
    return this.#own;
  }
}

for (const [name, make] of Object.entries(makers)) {
  Object.defineProperty(RequestLoaders.prototype, name, {
    get(this: RequestLoaders) {
      const value: unknown = make(this.services, this.call);
      Object.defineProperty(this, name, { value });
      return value;
    },
  });
}

/**
 * One request's loaders, bound to its tenant and its signal. Each is made when it is first used: most operations need one or
 * none, and a waiting one would hold ten kilobytes of empty maps.
 */
export function createLoaders(services: Services, call: CallOptions): Loaders {
  return new RequestLoaders(services, call) as unknown as Loaders; // the getters stand on the prototype
}
