import type { ResponseSchemas } from '../chat/response-schemas.ts';
import type { ConversationStore } from '../contracts/conversation-store.ts';
import type { SearchServices } from '../search/search.ts';
import type { Toolbox } from '../tools/toolbox.ts';
import type { Agents } from './agents.ts';

/** What agents work with. */
export interface AgentServices extends SearchServices {
  readonly agents: Agents;
  readonly conversations: ConversationStore;
  readonly schemas: ResponseSchemas;
  readonly toolbox: Toolbox;
}
