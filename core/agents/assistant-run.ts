import type { ChatMessage } from '../contracts/model-provider.ts';
import { citingRules, renderSources, sourcesWithin } from '../text/source-prompt.ts';
import type { AgentMember } from './agent.ts';
import { findSources } from './find-sources.ts';
import { answerKey } from './plan/plan.ts';
import { streamAnswer } from './stream-answer.ts';
import { answer } from './team/answer.ts';
import { modelRoom } from './team/prompts.ts';
import { structuredOutput, withObject } from './team/structured-output.ts';
import { callOf, member, stepMeter, type Work } from './work.ts';

/** A SINGLE agent: one step, in which it searches and answers. */
export async function runAssistant(work: Work): Promise<void> {
  const { board, services, input, output } = work;
  const assistant = member(work, 'ASSISTANT');
  const model = services.models.chatModel(assistant.model);
  board.add({ key: answerKey, title: 'Answer', role: 'ASSISTANT', dependsOn: [] });
  const looking = { question: input.goal, isSecondLook: false };
  const found = await findSources(services, input, looking, callOf(work, stepMeter(work)));
  const sources = found === null ? null : sourcesWithin(found, modelRoom(model));
  const write = answer(work, answerKey, {
    write: (call) =>
      streamAnswer(
        work,
        { member: assistant, messages: prompt(work, assistant, sources), sources: sources ?? [] },
        call,
      ),
    rescue: () => output.write(`Nothing was written before the limit of the run: ${work.budget.limit ?? ''}.`, []),
    model: model.name,
  });
  output.object = await withObject(write, structuredOutput(work, assistant, renderSources(sources ?? [])));
}

function prompt(
  { input, history }: Work,
  { instructions }: AgentMember,
  sources: Parameters<typeof renderSources>[0] | null,
): ChatMessage[] {
  const grounding = sources === null ? [] : [citingRules, renderSources(sources)];
  return [
    { role: 'SYSTEM', text: [instructions, ...grounding].join('\n\n') },
    ...history.map(({ role, text }) => ({ role, text })),
    { role: 'USER', text: input.goal },
  ];
}
