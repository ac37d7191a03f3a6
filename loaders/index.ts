import type { CallOptions } from '../core/models/models.ts';
import type { Services } from '../core/services.ts';
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
import { profileByExternalIdLoader, profileLoader } from './profile-loader.ts';
import { recommendationLoader } from './recommendation-loader.ts';
import { runLoader } from './run-loader.ts';
import { searchLoader } from './search-loader.ts';
import { similarLoader } from './similar-loader.ts';

export type Loaders = ReturnType<typeof createLoaders>;

/** One request's loaders, bound to its tenant and its signal. */
export function createLoaders(services: Services, call: CallOptions) {
  return {
    collection: collectionLoader(services.collections, call),
    collectionByName: collectionByNameLoader(services.collections, call),
    collectionCounts: collectionCountsLoader(services.collections, call),
    document: documentLoader(services.documents, call),
    documentsPage: documentsPageLoader(services.documents, call),
    passage: passageLoader(services.documents, call),
    passagesPage: passagesPageLoader(services.documents, call),
    similar: similarLoader(services.searchIndex, call),
    search: searchLoader(services, call),
    embedding: embeddingLoader(services.models, call),
    conversation: conversationLoader(services.conversations, call),
    message: messageLoader(services.conversations, call),
    branch: branchLoader(services.conversations, call),
    run: runLoader(services.runs, call),
    profile: profileLoader(services.profiles, call),
    profileByExternalId: profileByExternalIdLoader(services.profiles, call),
    interactionCount: interactionCountLoader(services.profiles, call),
    recommendation: recommendationLoader(services, call),
    explanation: explanationLoader(services, call),
  };
}
