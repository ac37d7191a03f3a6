import type { CollectionRecord } from '../core/contracts/collection-store.ts';
import type { ConversationRecord, MessageRecord } from '../core/contracts/conversation-store.ts';
import type { DocumentRecord, PassageRecord } from '../core/contracts/document-store.ts';
import type { ProfileRecord } from '../core/contracts/profile-store.ts';
import type { RunRecord } from '../core/contracts/run-store.ts';
import type { RunEventView } from '../resolvers/run-event-view.ts';
import { builder } from './builder.ts';

// The types that name each other stand here, so that no file of the schema needs another one's implementation.

export const CollectionRef = builder.objectRef<CollectionRecord>('Collection');
export const DocumentRef = builder.objectRef<DocumentRecord>('Document');
export const PassageRef = builder.objectRef<PassageRecord>('Passage');
export const ProfileRef = builder.objectRef<ProfileRecord>('Profile');
export const ConversationRef = builder.objectRef<ConversationRecord>('Conversation');
export const MessageRef = builder.objectRef<MessageRecord>('Message');
export const RunRef = builder.interfaceRef<RunRecord>('Run');
export const ChatRunRef = builder.objectRef<RunRecord>('ChatRun');
export const AgentRunRef = builder.objectRef<RunRecord>('AgentRun');
export const IngestRunRef = builder.objectRef<RunRecord>('IngestRun');
export const RunEventRef = builder.interfaceRef<RunEventView>('RunEvent');
