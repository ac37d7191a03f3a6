import type { Attachment, MessageRole } from '../contracts/model-provider.ts';
import { KnownLinks } from '../text/known-links.ts';
import type { NumberedSource } from '../text/source-prompt.ts';
import type { PromptParts } from './prompt.ts';

/**
 * What the links of a turn's reply may be, before tools have brought more; null: the turn reads nothing from outside, neither
 * documents nor results of tools.
 */
export function linksOfRun(
  { system, sources, history, question }: PromptParts,
  { hasTools }: { readonly hasTools: boolean },
): KnownLinks | null {
  if (sources === null && !hasTools) return null;
  const links = linksOfTalk(system, [...history, question]);
  knowSources(links, sources ?? []);
  return links;
}

interface Spoken {
  readonly role: MessageRole;
  readonly text: string;
  readonly attachments?: readonly Attachment[];
}

/** Of what the app or an agent's configuration, and the people of a conversation have said. */
export function linksOfTalk(system: string | null, said: readonly Spoken[]): KnownLinks {
  const links = new KnownLinks();
  if (system !== null) links.trust(system);
  for (const { role, text, attachments = [] } of said) {
    if (role === 'SYSTEM') links.trust(text);
    else if (role === 'USER') links.ask(text);
    // What tools said is looked at beside what they were given: knowResults.
    else if (role === 'ASSISTANT') links.know(text);
    for (const { mimeType, base64 } of attachments) {
      if (base64 !== undefined && mimeType.startsWith('text/')) links.know(Buffer.from(base64, 'base64').toString());
    }
  }
  return links;
}

export function knowSources(links: KnownLinks, sources: readonly Pick<NumberedSource, 'text' | 'url'>[]): void {
  for (const { text, url } of sources) {
    links.know(text);
    if (url !== null) links.know(url);
  }
}
