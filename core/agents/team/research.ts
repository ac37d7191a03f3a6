import type { ChatMessage } from '../../contracts/model-provider.ts';
import type { CallOptions } from '../../models/models.ts';
import { citeText } from '../../text/cite-text.ts';
import { fenced } from '../../text/fence.ts';
import { guardLinks } from '../../text/link-guard.ts';
import { citingRules, type NumberedSource, renderSources, sourcesWithin } from '../../text/source-prompt.ts';
import { findSources } from '../find-sources.ts';
import { linksOfWork } from '../links-of-work.ts';
import type { PlannedStep } from '../plan/plan.ts';
import { member, type Work, writes } from '../work.ts';
import type { Finding, Found } from './finding.ts';
import { budgetedOutput, modelRoom, withoutCitations } from './prompts.ts';

export interface ResearchTask {
  readonly step: PlannedStep;
  /** What the steps that it builds on have found. */
  readonly known: readonly Found[];
  /** Of the check that sent it back; null: it is the first attempt. */
  readonly objection: string | null;
}

const nothing = 'The documents do not answer this.';
const furtherLine = /^\s*FURTHER:\s*(\S.{0,2000})\s*$/m;
const furtherRule =
  'If something that the goal needs must be looked up beyond this question, end with one line "FURTHER: " and that question.';

/** Searches, reads, and reports what the sources say about one question. */
export async function research(work: Work, task: ResearchTask, call: CallOptions): Promise<Finding> {
  const { services, input } = work;
  const { step, objection } = task;
  const sources = await findSources(services, input, { question: step.task, isSecondLook: objection !== null }, call);
  const researcher = member(work, 'RESEARCHER');
  const isWriter = writes(work, researcher);
  if (!isWriter && (sources === null || sources.length === 0))
    return nothingFound(services.models.chatModel(researcher.model).name);
  const shown = sourcesWithin(sources ?? [], modelRoom(services.models.chatModel(researcher.model)));
  const messages = isWriter
    ? prompt(work, task, sources === null ? null : shown)
    : [{ role: 'USER' as const, text: step.task }];
  const reply = await services.models.complete(
    { model: researcher.model, messages, sources: shown, temperature: 0, ...budgetedOutput(work) },
    call,
  );
  const text = guardLinks(reply.text, linksOfWork(work, shown));
  return findingOf({ ...reply, text }, shown, { mustCite: sources !== null, isWriter });
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
): ChatMessage[] {
  const { instructions } = member(work, 'RESEARCHER');
  const system = [
    instructions,
    ...(sources === null ? [] : [citingRules]),
    furtherRule,
    ...(sources === null ? [] : [renderSources(sources)]),
  ].join('\n\n');
  const asked = [
    `The goal of the whole work: ${work.input.goal}`,
    ...(known.length === 0
      ? []
      : [`Found so far, for orientation:\n${fenced(known.map(withoutCitations).join('\n'), 'findings')}`]),
    `Your question: ${step.task}`,
    ...(objection === null ? [] : [`Your first report was sent back: ${objection}\nReport again.`]),
  ].join('\n\n');
  return [
    { role: 'SYSTEM', text: system },
    { role: 'USER', text: asked },
  ];
}
