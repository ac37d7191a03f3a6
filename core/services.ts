import type { KeyServices } from './access/api-keys.ts';
import type { Agents } from './agents/agents.ts';
import type { ChatLimits } from './chat/check-chat-input.ts';
import type { ResponseSchemas } from './chat/response-schemas.ts';
import type { ApiKeyStore } from './contracts/api-key-store.ts';
import type { Clock } from './contracts/clock.ts';
import type { CollectionStore } from './contracts/collection-store.ts';
import type { ConversationStore } from './contracts/conversation-store.ts';
import type { DocumentStore } from './contracts/document-store.ts';
import type { Logger } from './contracts/logger.ts';
import type { ParkedRuns } from './contracts/parked-runs.ts';
import type { ProfileStore } from './contracts/profile-store.ts';
import type { RecommendationIndex } from './contracts/recommendation-index.ts';
import type { StoredRunStore } from './contracts/run-store.ts';
import type { SearchIndex } from './contracts/search-index.ts';
import type { UsageStore } from './contracts/usage-store.ts';
import type { HealthReport } from './health.ts';
import type { Models } from './models/models.ts';
import type { RecommendSettings } from './recommend/recommend.ts';
import type { Runs } from './runs/runs.ts';
import type { Admit } from './spending/admission.ts';
import type { PayerLimits } from './spending/payers.ts';
import type { Toolbox } from './tools/toolbox.ts';

export interface Limits extends ChatLimits {
  /** `first` at most; of messages and events: maxFirstMessages. */
  readonly maxFirst: number;
  readonly maxFirstMessages: number;
  readonly maxQueryChars: number;
  /** Characters of JSON. */
  readonly maxToolResultChars: number;
  readonly maxDocumentsPerIngest: number;
  readonly maxDocumentChars: number;
  readonly maxInteractions: number;
  /** Runs that execute at the same time. */
  readonly maxRuns: number;
}

/** Everything that lives as long as the process. Functions of core take the part of it that they need. */
export interface Services {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: Limits;
  readonly models: Models;
  readonly agents: Agents;
  readonly schemas: ResponseSchemas;
  readonly toolbox: Toolbox;
  readonly collections: CollectionStore;
  readonly documents: DocumentStore;
  readonly searchIndex: SearchIndex;
  readonly conversations: ConversationStore;
  readonly profiles: ProfileStore;
  readonly recommendationIndex: RecommendationIndex;
  readonly recommendations: RecommendSettings;
  readonly storedRuns: StoredRunStore;
  readonly parkedRuns: ParkedRuns;
  readonly usage: UsageStore;
  readonly runs: Runs;
  readonly apiKeys: ApiKeyStore;
  readonly keyChanged: KeyServices['keyChanged'];
  /** Before an operation is executed, whatever brought it. */
  readonly admit: Admit;
  /** What all keys of a tenant may use together; null: nothing is configured. */
  readonly tenantLimits: (tenant: string) => PayerLimits | null;
  readonly health: () => HealthReport;
}
