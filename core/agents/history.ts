import type { ConversationStore } from '../contracts/conversation-store.ts';
import type { RunIo } from '../runs/live-run.ts';
import { stripMarks } from '../text/citations.ts';
import { agentDetail } from './output.ts';
import type { Said } from './work.ts';

/** What of a conversation a goal is understood by: its newest messages, their beginnings. */
const maxMessages = 20;
const maxCharacters = 2_000;

/** What was said before the goal, oldest first; empty for a goal that is no turn of a conversation. */
export async function readHistory(
  conversations: ConversationStore,
  io: Pick<RunIo, 'run' | 'signal'>,
): Promise<readonly Said[]> {
  const { conversationId, questionId } = agentDetail(io);
  if (conversationId === null) return [];
  const window = { leaf: questionId, direction: 'last', count: maxMessages + 1, cursor: null } as const;
  const [branch] = await conversations.branches(io.run.tenant, [conversationId], window, io.signal);
  return (branch?.messages ?? []).flatMap(({ id, role, parts }): Said[] => {
    if (id === questionId || (role !== 'USER' && role !== 'ASSISTANT')) return [];
    const text = parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n');
    const shown = (role === 'ASSISTANT' ? stripMarks(text) : text).slice(0, maxCharacters).toWellFormed();
    return shown.trim() === '' ? [] : [{ role, text: shown }];
  });
}
