import type { ChatMessage, FinishReason } from '../contracts/model-provider.ts';
import type { CallOptions, PoolChunk } from '../models/models.ts';
import { guardedCitations } from '../text/guarded-citations.ts';
import { citingRules, type NumberedSource, renderSources, sourcesWithin } from '../text/source-prompt.ts';
import { knowResults } from '../tools/known-results.ts';
import type { TurnRequest } from '../tools/loop/turn.ts';
import { toolRules } from '../tools/result-text.ts';
import { SourceNumbers } from '../tools/source-numbers.ts';
import type { AgentMember } from './agent.ts';
import { findSources } from './find-sources.ts';
import { linksOfWork } from './links-of-work.ts';
import { answerKey } from './plan/plan.ts';
import { once } from './steps/keep.ts';
import { streamAnswer } from './stream-answer.ts';
import { answer } from './team/answer.ts';
import { modelRoom } from './team/prompts.ts';
import { structuredOutput, withObject } from './team/structured-output.ts';
import { toolsOf, workWithTools } from './tool-work.ts';
import { callOf, member, stepMeter, type Work, writes } from './work.ts';

/** A SINGLE agent: one step, in which it searches, calls tools, and answers. */
export async function runAssistant(work: Work): Promise<void> {
  const { board, services, input, output } = work;
  const assistant = member(work, 'ASSISTANT');
  const model = services.models.chatModel(assistant.model);
  board.add({ key: answerKey, title: 'Answer', role: 'ASSISTANT', dependsOn: [] });
  const looking = { question: input.goal, isSecondLook: false };
  const tools = writes(work, assistant) ? toolsOf(work, false) : [];
  const find = () => findSources(services, input, looking, callOf(work, stepMeter(work)));
  // As in a researcher's step: turns that are kept cite by number.
  const finding = tools.length === 0 ? find() : once(work.io, `${answerKey}/sources`, find);
  const found = await finding.catch((error: unknown) => {
    if (work.io.signal.aborted || !work.budget.hasEnded(error)) throw error;
    return []; // the answer says which limit it was
  });
  const sources = found === null ? null : sourcesWithin(found, modelRoom(model));
  const messages = prompt(work, assistant, sources, tools.length > 0);
  const write = answer(work, answerKey, {
    write: (call) =>
      tools.length === 0
        ? streamAnswer(work, { member: assistant, messages, sources: sources ?? [] }, call)
        : answerWithTools(work, { member: assistant, messages, sources: sources ?? [], tools }, call),
    rescue: () => output.write(`Nothing was written before the limit of the run: ${work.budget.limit ?? ''}.`, []),
    model: model.name,
  });
  output.object = await withObject(write, structuredOutput(work, assistant, renderSources(sources ?? [])));
}

interface Asked {
  readonly member: AgentMember;
  readonly messages: readonly ChatMessage[];
  readonly sources: readonly NumberedSource[];
  readonly tools: ReturnType<typeof toolsOf>;
}

/** What a turn says before it calls tools is no part of the answer: the next one begins it again. */
async function answerWithTools(work: Work, { sources, ...asked }: Asked, call: CallOptions): Promise<FinishReason> {
  const { output } = work;
  const numbers = new SourceNumbers(sources);
  let endTurn = (): void => {};
  const begin = (request: TurnRequest): ((chunk: PoolChunk) => void) => {
    if (!output.isEmpty) output.reset('It goes on with what its tools said.');
    const writing = writerOf(work, numbers, request.messages);
    endTurn = writing.end;
    return writing.hear;
  };
  let isHeard = false;
  const heard = (request: TurnRequest): ((chunk: PoolChunk) => void) => {
    isHeard = true;
    const hear = begin(request);
    return (chunk) => {
      hear(chunk);
      if (chunk.type === 'finish') endTurn();
    };
  };
  const end = await workWithTools(work, { step: answerKey, key: answerKey, ...asked, numbers, begin: heard }, call);
  if (!isHeard) {
    // The last turn is of an earlier attempt, which did not live to keep the answer.
    const writing = writerOf(work, numbers, end.messages);
    writing.hear({ type: 'text', delta: end.last.text });
    writing.end();
    output.writtenBy(end.last.model);
  }
  return end.finishReason;
}

function writerOf(work: Work, numbers: SourceNumbers, messages: readonly ChatMessage[]) {
  const { output } = work;
  const links = linksOfWork(work, numbers.all);
  knowResults(links, messages);
  let rewriter = guardedCitations(numbers.all, links);
  const hear = (chunk: PoolChunk): void => {
    if (chunk.type === 'model') output.writtenBy(chunk.name);
    if (chunk.type === 'text') {
      const { text, cited } = rewriter.push(chunk.delta);
      output.write(text, cited);
    }
    if (chunk.type === 'reset') {
      rewriter = guardedCitations(numbers.all, links);
      output.reset(chunk.reason);
    }
  };
  const end = (): void => {
    const rest = rewriter.end();
    output.write(rest.text, rest.cited);
  };
  return { hear, end };
}

function prompt(
  { input, history }: Work,
  { instructions }: AgentMember,
  sources: readonly NumberedSource[] | null,
  hasTools: boolean,
): ChatMessage[] {
  const grounding = sources === null ? [] : [citingRules, renderSources(sources)];
  return [
    { role: 'SYSTEM', text: [instructions, ...(hasTools ? [toolRules] : []), ...grounding].join('\n\n') },
    ...history.map(({ role, text }) => ({ role, text })),
    { role: 'USER', text: input.goal },
  ];
}
