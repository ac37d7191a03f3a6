import { KnownLinks } from '../text/known-links.ts';
import type { NumberedSource } from '../text/source-prompt.ts';
import type { PromptParts } from './prompt.ts';
import type { Said } from './said.ts';

/** What the links of a turn's reply may be, as long as no tool has brought more; null: the run reads nothing from outside. */
export function linksOfRun({ system, sources, history, question }: PromptParts): KnownLinks | null {
  if (sources === null) return null;
  const links = linksOfTalk(system, [...history, question]);
  knowSources(links, sources);
  return links;
}

/** Of what the app and the people of a conversation have said. */
export function linksOfTalk(system: string | null, said: readonly Said[]): KnownLinks {
  const links = new KnownLinks();
  if (system !== null) links.trust(system);
  for (const { role, text, attachments } of said) {
    if (role === 'SYSTEM') links.trust(text);
    else if (role === 'USER') links.ask(text);
    else links.know(text);
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
