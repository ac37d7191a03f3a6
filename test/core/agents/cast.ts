import type { ChatChunk, ChatRequest } from '../../../core/contracts/model-provider.ts';
import { planOf } from '../../e2e/agents/team-vendor.ts';
import { type ScriptedProvider, scriptedProvider } from '../../helpers/scripted-provider.ts';

export type Part = 'plan' | 'research' | 'check' | 'write' | 'assist';

/** What a member says: a text, or the tools that it calls, by name, before it says more. */
export type Line = string | { readonly text?: string; readonly calls: readonly string[] };

/** Who makes the call, by the instructions of the shipped agents. */
export function partOf({ messages: [system] }: ChatRequest): Part {
  const text = system?.text ?? '';
  const verb = /^You (plan|research|check|write)/.exec(text)?.[1];
  return (verb as Part | undefined) ?? 'assist'; // one of the four
}

export const promptOf = ({ messages }: ChatRequest): string => messages.map(({ text }) => text).join('\n\n');

/** The model of all members of a team; what is left out says what lets the work go on. Each call costs 100 tokens. */
export function castOf(lines: Partial<Record<Part, (prompt: string, call: number) => Line>>): ScriptedProvider {
  const calls = new Map<Part, number>();
  const usual: Record<Part, Line> = {
    ...{ plan: planOf(['only']), research: 'It turns twice a minute [1].', write: 'Twice a minute [1].' },
    ...{ check: JSON.stringify({ verdict: 'accept', objection: '', further: null }), assist: 'Twice a minute [1].' },
  };
  const lineFor = (request: ChatRequest): Line => {
    const part = partOf(request);
    const call = (calls.get(part) ?? 0) + 1;
    calls.set(part, call);
    return lines[part]?.(promptOf(request), call) ?? usual[part];
  };
  const tokens = { inputTokens: 90, cachedInputTokens: 0, outputTokens: 10 };
  return scriptedProvider({
    async complete(request) {
      const line = lineFor(request);
      return { text: typeof line === 'string' ? line : (line.text ?? ''), finishReason: 'STOP', tokens };
    },
    async *chat(request): AsyncGenerator<ChatChunk> {
      const line = lineFor(request);
      const { text = '', calls: wanted } = typeof line === 'string' ? { text: line, calls: [] } : line;
      if (text !== '') yield { type: 'text', delta: text };
      for (const [index, tool] of wanted.entries()) {
        yield { type: 'tool-call', id: `call_${index}`, tool };
        yield { type: 'tool-arguments', id: `call_${index}`, delta: '{}' };
      }
      yield { type: 'usage', tokens };
      yield { type: 'finish', reason: wanted.length > 0 ? 'TOOL_CALLS' : 'STOP' };
    },
  });
}
