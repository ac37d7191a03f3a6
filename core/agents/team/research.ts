import { knowSources } from '../../chat/links-of-run.ts';
import type { ChatMessage } from '../../contracts/model-provider.ts';
import type { CallOptions } from '../../models/models.ts';
import { citeText } from '../../text/cite-text.ts';
import { fenced, fenceRules } from '../../text/fence.ts';
import { guardLinks } from '../../text/link-guard.ts';
import { citingRules, type NumberedSource, renderSources, sourcesWithin } from '../../text/source-prompt.ts';
import { knowResults } from '../../tools/known-results.ts';
import { toolRules } from '../../tools/result-text.ts';
import { SourceNumbers } from '../../tools/source-numbers.ts';
import { findSources } from '../find-sources.ts';
import { linksOfWork } from '../links-of-work.ts';
import type { PlannedStep } from '../plan/plan.ts';
import { once } from '../steps/keep.ts';
import { toolsOf, workWithTools } from '../tool-work.ts';
import { member, type Work, writes } from '../work.ts';
import type { Finding, Found } from './finding.ts';
import { budgetedOutput, modelRoom, taskText, withoutCitations } from './prompts.ts';

export interface ResearchTask {
  readonly step: PlannedStep;
  /** What the steps that it builds on have found. */
  readonly known: readonly Found[];
  /** Of the check that sent it back; null: it is the first attempt. */
  readonly objection: string | null;
}

const nothing = 'The documents do not answer this.';
/** Without \s before what it must find: a report of a hundred thousand empty lines would be looked through from each of them. */
const furtherLine = /^[ \t]*FURTHER:[ \t]*(\S.{0,2000})$/m;
const furtherRule =
  'If something that the goal needs must be looked up beyond this question, end with one line "FURTHER: " and that question.';

const actingRule = 'Do the task below with your tools, nothing beyond it, and report what was done.';

/**
 * Searches, reads, and reports what the sources say about one question; or, for a step of role EXECUTOR, does with tools what it is
 * to do, and reports that.
 */
export async function research(work: Work, task: ResearchTask, call: CallOptions): Promise<Finding> {
  const { services, input } = work;
  const { step, objection } = task;
  const worker = member(work, step.role);
  const tools = writes(work, worker) ? toolsOf(work, step.role === 'RESEARCHER') : [];
  const key = `step/${step.key}/${objection === null ? 1 : 2}`;
  const look = { question: step.task, isSecondLook: objection !== null };
  const find = () => findSources(services, input, look, call);
  // Turns that are kept cite by number: the step that goes on with them must see what they saw.
  const sources = tools.length === 0 ? await find() : await once(work.io, `${key}/sources`, find);
  work.budget.assertLeft();
  const model = services.models.chatModel(worker.model);
  if (!writes(work, worker)) return quote(work, step, sources ?? [], call);
  const shown = sourcesWithin(sources ?? [], modelRoom(model));
  const messages = prompt(work, task, sources === null ? null : shown, tools.length > 0);
  const links = linksOfWork(work, shown);
  if (tools.length === 0) {
    const request = { model: worker.model, messages, sources: shown, temperature: 0, ...budgetedOutput(work) };
    const reply = await services.models.complete(request, call);
    const text = guardLinks(reply.text, links);
    return findingOf({ ...reply, text }, shown, { mustCite: sources !== null, isWriter: true });
  }
  const numbers = new SourceNumbers(shown);
  const end = await workWithTools(work, { step: step.key, key, member: worker, tools, messages, numbers }, call);
  knowSources(links, numbers.all);
  knowResults(links, end.messages);
  // What a tool said need not stand in a document.
  const isTold = end.turns.some(({ calls }) => calls.some(({ status }) => status === 'SUCCEEDED'));
  const reply = { text: guardLinks(end.last.text, links), model: end.last.model };
  return findingOf(reply, numbers.all, { mustCite: sources !== null && !isTold, isWriter: true });
}

/** What a model that cannot write finds: the sentences that answer. */
async function quote(
  work: Work,
  { task, role }: PlannedStep,
  sources: readonly NumberedSource[],
  call: CallOptions,
): Promise<Finding> {
  const { models } = work.services;
  const { model } = member(work, role);
  if (sources.length === 0) return nothingFound(models.chatModel(model).name);
  const messages = [{ role: 'USER' as const, text: task }];
  const reply = await models.complete({ model, messages, sources, temperature: 0, ...budgetedOutput(work) }, call);
  const text = guardLinks(reply.text, linksOfWork(work, sources));
  return findingOf({ ...reply, text }, sources, { mustCite: true, isWriter: false });
}

export function findingOf(
  { text: written, model }: { readonly text: string; readonly model: string },
  shown: readonly NumberedSource[],
  { mustCite, isWriter }: { readonly mustCite: boolean; readonly isWriter: boolean },
): Finding {
  const further = isWriter ? (furtherLine.exec(written)?.[1]?.trim() ?? null) : null;
  const { text, citations } = citeText(written.replace(furtherLine, ''), shown);
  const byPassage = new Map(shown.map((source) => [source.passageId, source]));
  const sources = citations.flatMap(({ passageId, number }) => {
    const source = byPassage.get(passageId);
    return source === undefined ? [] : [{ ...source, number }];
  });
  return { text, citations, sources, model, answers: citations.length > 0 || (!mustCite && text !== ''), further };
}

function nothingFound(model: string): Finding {
  return { text: nothing, citations: [], sources: [], model, answers: false, further: null };
}

function prompt(
  work: Work,
  { step, known, objection }: ResearchTask,
  sources: readonly NumberedSource[] | null,
  hasTools: boolean,
): ChatMessage[] {
  const { instructions } = member(work, step.role);
  const isActing = step.role === 'EXECUTOR';
  const system = [
    instructions,
    ...(isActing ? [actingRule] : []),
    ...(hasTools ? [toolRules] : []),
    ...(sources === null ? [] : [citingRules]),
    ...(isActing ? [] : [furtherRule]),
    ...(sources === null && !hasTools ? [fenceRules] : []),
    ...(sources === null ? [] : [renderSources(sources)]),
  ].join('\n\n');
  const asked = [
    `The goal of the whole work: ${work.input.goal}`,
    ...(known.length === 0
      ? []
      : [`Found so far, for orientation:\n${fenced(known.map(withoutCitations).join('\n'), 'findings')}`]),
    `${isActing ? 'Your task' : 'Your question'}: ${taskText(step)}`,
    ...(objection === null
      ? []
      : [`Your first report was sent back, for this is missing:\n${fenced(objection, 'check')}\nReport again.`]),
  ].join('\n\n');
  return [
    { role: 'SYSTEM', text: system },
    { role: 'USER', text: asked },
  ];
}
