import type { ConversationStore } from '../contracts/conversation-store.ts';
import type { RunIo } from '../runs/live-run.ts';
import { stripMarks } from '../text/citations.ts';
import type { AgentInput, Said } from './agent-input.ts';
import { agentDetail } from './output.ts';

/** What of a conversation a goal is understood by: its newest messages, their beginnings. */
const maxMessages = 20;
const maxCharacters = 2_000;

/** Of what an app sent, as much as a run looks at: it is kept with the run. */
export function recent(history: readonly Said[]): readonly Said[] {
  return history.slice(-maxMessages).flatMap(shown);
}

/** What was said before the goal, oldest first; empty for a goal that goes on from nothing. */
export async function readHistory(
  conversations: ConversationStore,
  io: Pick<RunIo, 'run' | 'signal'>,
  input: Pick<AgentInput, 'history'>,
): Promise<readonly Said[]> {
  const { conversationId, questionId } = agentDetail(io);
  if (conversationId === null) return recent(input.history);
  const window = { leaf: questionId, direction: 'last', count: maxMessages + 1, cursor: null } as const;
  const [branch] = await conversations.branches(io.run.tenant, [conversationId], window, io.signal);
  return (branch?.messages ?? []).flatMap(({ id, role, parts }): Said[] => {
    if (id === questionId || (role !== 'USER' && role !== 'ASSISTANT')) return [];
    const text = parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n');
    return shown({ role, text });
  });
}

/** Marks of citations number other sources than this run's. */
function shown({ role, text }: Said): Said[] {
  const plain = (role === 'ASSISTANT' ? stripMarks(text) : text).slice(0, maxCharacters).toWellFormed();
  return plain.trim() === '' ? [] : [{ role, text: plain }];
}
