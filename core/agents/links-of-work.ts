import { knowSources, linksOfTalk } from '../chat/links-of-run.ts';
import type { KnownLinks } from '../text/known-links.ts';
import type { NumberedSource } from '../text/source-prompt.ts';
import type { Work } from './work.ts';

/** What the links in an agent's texts may be: its instructions, its conversation and its goal have said, and the sources. */
export function linksOfWork(
  { agent, input, history }: Pick<Work, 'agent' | 'input' | 'history'>,
  sources: readonly NumberedSource[],
): KnownLinks {
  const instructions = agent.members.map((member) => member.instructions).join('\n\n');
  const links = linksOfTalk(instructions, [...history, { role: 'USER', text: input.goal }]);
  knowSources(links, sources);
  return links;
}
