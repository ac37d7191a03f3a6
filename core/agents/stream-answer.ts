import type { ChatMessage, FinishReason } from '../contracts/model-provider.ts';
import type { CallOptions } from '../models/models.ts';
import { guardedCitations } from '../text/guarded-citations.ts';
import type { NumberedSource } from '../text/source-prompt.ts';
import { knowResults } from '../tools/known-results.ts';
import type { AgentMember } from './agent.ts';
import { linksOfWork } from './links-of-work.ts';
import { budgetedOutput } from './team/prompts.ts';
import type { Work } from './work.ts';

export interface Asked {
  readonly member: AgentMember;
  readonly messages: readonly ChatMessage[];
  /** What its marks may name; null: nothing was searched. */
  readonly sources: readonly NumberedSource[] | null;
}

/** Streams one generation into the run's output; returns why it ended. */
export async function streamAnswer(
  work: Work,
  { member, messages, sources }: Asked,
  call: CallOptions,
): Promise<FinishReason> {
  const { output, services, io } = work;
  const links = linksOfWork(work, sources ?? []);
  // Findings stand in it, which have been through a guard of their own.
  for (const { role, text } of messages) if (role === 'USER') links.know(text);
  knowResults(links, messages);
  const newRewriter = () => guardedCitations(sources ?? [], links);
  const newReasoning = () => guardedCitations(null, links);
  let rewriter = newRewriter();
  let reasoning = newReasoning();
  const think = (delta: string): void => {
    if (delta !== '') io.emit({ type: 'ReasoningDelta', messageId: output.id, delta });
  };
  let reason: FinishReason = 'STOP';
  try {
    for await (const chunk of services.models.chat(
      { model: member.model, messages, sources, ...budgetedOutput(work) },
      call,
    )) {
      switch (chunk.type) {
        case 'model':
          output.writtenBy(chunk.name);
          break;
        case 'text': {
          const { text, cited } = rewriter.push(chunk.delta);
          output.write(text, cited);
          break;
        }
        case 'reasoning':
          think(reasoning.push(chunk.delta).text);
          break;
        case 'finish':
          reason = chunk.reason;
          break;
        case 'reset':
          rewriter = newRewriter();
          reasoning = newReasoning();
          output.reset(chunk.reason);
          break;
        default:
          break;
      }
    }
  } finally {
    const rest = rewriter.end();
    output.write(rest.text, rest.cited);
    think(reasoning.end().text);
  }
  return reason;
}
