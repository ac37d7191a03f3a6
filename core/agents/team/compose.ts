import type { ChatMessage, FinishReason } from '../../contracts/model-provider.ts';
import type { CallOptions } from '../../models/models.ts';
import { createCitationRewriter } from '../../text/citations.ts';
import { fenced } from '../../text/fence.ts';
import { renumberMarks } from '../../text/renumber-marks.ts';
import { citingRules, type NumberedSource, renderSources, sourcesWithin } from '../../text/source-prompt.ts';
import { streamAnswer } from '../stream-answer.ts';
import { member, type Work, writes } from '../work.ts';
import type { Found } from './finding.ts';
import { conversationText, modelRoom } from './prompts.ts';

/** Findings over one numbering of all their sources: a passage that two of them cite is one source. */
export interface Gathered {
  readonly findings: readonly Found[];
  readonly sources: readonly NumberedSource[];
}

export function gather(found: readonly Found[]): Gathered {
  const byPassage = new Map<string, NumberedSource>();
  const findings = found.map((each) => {
    const numbers = new Map<number, number>();
    for (const source of each.finding.sources) {
      const known = byPassage.get(source.passageId) ?? { ...source, number: byPassage.size + 1 };
      byPassage.set(source.passageId, known);
      numbers.set(source.number, known.number);
    }
    const text = renumberMarks(each.finding.text, (number) => numbers.get(number));
    return { ...each, finding: { ...each.finding, text } };
  });
  return { findings, sources: [...byPassage.values()] };
}

export const refusal = 'The documents do not answer this.';

/**
 * The answer without a model: what was found, under the name of what it answers, in the order of the plan. What is left out, and
 * what was not found, is said.
 */
export function composedText({ findings }: Gathered, limit: string | null): string {
  const good = findings.filter(isGood);
  const missing = findings.filter((found) => !isGood(found));
  const [only] = good;
  const stopped = limit === null ? [] : [`The run stopped at a limit: ${limit}.`];
  if (only === undefined) return [limit === null ? refusal : 'Nothing was found.', ...stopped].join(' ');
  const parts =
    findings.length === 1
      ? [flowing(only.finding.text)]
      : good.map(({ title, finding }) => `**${title}**\n\n${flowing(finding.text)}`);
  const silent =
    missing.length === 0
      ? []
      : [`The documents do not answer: ${missing.map(({ title }) => quoted(title)).join(', ')}.`];
  return [...parts, ...silent, ...stopped].join('\n\n');
}

/** Lines that were wrapped where they were quoted from are lines no more. */
const flowing = (text: string): string => text.replace(/(?<=[^\n.:])\n(?=[\p{Ll}(`“"])/gu, ' ');
const quoted = (title: string): string => `“${title.replace(/[.?!]+$/, '')}”`;

export function isGood({ finding, verdict }: Found): boolean {
  return finding.answers && (verdict?.isAccepted ?? true);
}

/** Writes the answer from the findings into the output; returns why it ended. */
export async function compose(work: Work, gathered: Gathered, call: CallOptions): Promise<FinishReason> {
  const executor = member(work, 'EXECUTOR');
  if (work.budget.isSpent || !writes(work, executor)) {
    composeByRules(work, gathered);
    return 'STOP';
  }
  const { findings } = gathered;
  const sources = sourcesWithin(gathered.sources, modelRoom(work.services.models.chatModel(executor.model)));
  return streamAnswer(work, { member: executor, messages: prompt(work, findings, sources), sources }, call);
}

/** In pieces, as readers of the log expect a text to come. */
export function composeByRules({ output, budget, services, agent }: Work, gathered: Gathered): void {
  const { model } = member({ agent }, 'EXECUTOR');
  output.writtenBy(gathered.findings[0]?.finding.model ?? services.models.chatModel(model).name);
  const rewriter = createCitationRewriter(gathered.sources);
  for (const piece of composedText(gathered, budget.limit).match(/\s*(?:\S+\s*){1,12}/g) ?? []) {
    const { text, cited } = rewriter.push(piece);
    output.write(text, cited);
  }
  const rest = rewriter.end();
  output.write(rest.text, rest.cited);
}

function prompt(
  { input, history, agent }: Work,
  findings: readonly Found[],
  sources: readonly NumberedSource[],
): ChatMessage[] {
  const { instructions } = member({ agent }, 'EXECUTOR');
  const reports = findings.map(({ task, finding, verdict }) => {
    const doubt =
      verdict === null || verdict.isAccepted
        ? ''
        : `\nNot accepted by the check:\n${fenced(verdict.objection, 'check')}`;
    return `Question: ${task}\nFinding:\n${fenced(finding.text, 'findings')}${doubt}`;
  });
  const said = history.length === 0 ? [] : [`What was said before:\n${conversationText(history)}`];
  return [
    { role: 'SYSTEM', text: [instructions, citingRules, renderSources(sources)].join('\n\n') },
    {
      role: 'USER',
      text: [...said, `The goal: ${input.goal}`, `The findings:\n\n${reports.join('\n\n')}`].join('\n\n'),
    },
  ];
}
