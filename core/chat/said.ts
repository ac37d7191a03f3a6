import type { MessageRecord } from '../contracts/conversation-store.ts';
import type { Attachment, MessageRole, ToolCallRequest } from '../contracts/model-provider.ts';
import type { ToolCallRecord } from '../contracts/run-event.ts';
import { fenced } from '../text/fence.ts';
import type { HistoryMessage } from './chat-input.ts';

/** A message of the talk before the question, and the question. */
export interface Said {
  readonly role: MessageRole;
  readonly text: string;
  readonly attachments: readonly Attachment[];
  /** Its `[n]` are citation marks; they number other sources than this turn's. */
  readonly cites: boolean;
  /** Of an ASSISTANT message; each is answered by one of the TOOL messages behind it. */
  readonly toolCalls?: readonly ToolCallRequest[];
  /** Of a TOOL message. */
  readonly toolCallId?: string;
}

const unanswered = JSON.stringify({ error: 'This call was not answered.' });

/** A kept message as models are told of it: one that called tools is several, with the results between its texts. */
export function saidIn({ role, parts, citations }: MessageRecord): readonly Said[] {
  const cites = citations.length > 0;
  const said: Said[] = [];
  let text = '';
  let calls: ToolCallRecord[] = [];
  const attachments: Attachment[] = [];
  const end = () => {
    if (text === '' && calls.length === 0 && said.length > 0) return;
    const toolCalls = calls.map(({ id, tool, arguments: args }) => ({ id, tool, arguments: JSON.stringify(args) }));
    said.push({ role, text, attachments, cites, ...(calls.length > 0 ? { toolCalls } : {}) });
    for (const call of calls) said.push(resultOf(call));
    [text, calls] = ['', []];
  };
  for (const part of parts) {
    if (part.type === 'attachment') {
      const { type: _type, ...attachment } = part;
      attachments.push(attachment);
    } else if (part.type === 'tool-call') {
      calls.push(part);
    } else {
      if (calls.length > 0) end();
      text += part.text;
    }
  }
  end();
  return said;
}

function resultOf({ id, tool, result }: ToolCallRecord): Said {
  const text = result === null ? unanswered : fenced(JSON.stringify(result), `tool ${tool}`);
  return { role: 'TOOL', text, attachments: [], cites: false, toolCallId: id };
}

/** An app's own history. Providers want every call answered before anything else is said: what the app left out is said to be so. */
export function saidByApp(
  history: readonly HistoryMessage[],
  mayCite: (message: HistoryMessage) => boolean,
): readonly Said[] {
  const said: Said[] = [];
  let open: ToolCallRequest[] = [];
  const close = () => {
    for (const { id } of open)
      said.push({ role: 'TOOL', text: unanswered, attachments: [], cites: false, toolCallId: id });
    open = [];
  };
  for (const message of history) {
    if (message.role !== 'TOOL') close();
    const tool = open.find(({ id }) => id === message.toolCallId)?.tool;
    open =
      message.role === 'TOOL' ? open.filter(({ id }) => id !== message.toolCallId) : [...(message.toolCalls ?? [])];
    const text = message.role === 'TOOL' ? fenced(message.text, `tool ${tool ?? ''}`) : message.text;
    said.push({ ...message, text, cites: mayCite(message) });
  }
  close();
  return said;
}
