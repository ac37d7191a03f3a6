import { GatewayError } from '../contracts/gateway-error.ts';
import type { CitationRecord } from '../contracts/run-event.ts';
import type { Usage } from '../contracts/usage.ts';
import type { CallOptions, Models } from '../models/models.ts';
import { UsageMeter } from '../models/usage/usage-meter.ts';
import { createCitationRewriter } from '../text/citations.ts';
import { KnownLinks } from '../text/known-links.ts';
import { guardLinks } from '../text/link-guard.ts';
import { sentences } from '../text/sentences.ts';
import { citingRules, type NumberedSource, renderSources, sourcesWithin } from '../text/source-prompt.ts';

/** Text with the passages it rests on: `[n]` in the text is `citations[n - 1]`. */
export interface CitedTextRecord {
  readonly text: string;
  readonly citations: readonly CitationRecord[];
  readonly model: string;
  readonly usage: Usage;
}

export interface SummaryTask {
  readonly sources: readonly NumberedSource[];
  /** What the summary should be about: the query, or the document's title. */
  readonly about: string;
  readonly maxWords: number;
  readonly model: string | null;
}

const wordLimits = { min: 10, max: 1_000 };

/** Room for a summary of the most words, and for the rules that stand before the sources. */
const reservedTokens = 2_048;

/** A short cited text over the sources, as many as the model holds, in one call. Null without sources: there is nothing to say. */
export async function summarise(models: Models, task: SummaryTask, call: CallOptions): Promise<CitedTextRecord | null> {
  const { about, maxWords } = task;
  if (maxWords < wordLimits.min || maxWords > wordLimits.max) {
    throw new GatewayError('BAD_INPUT', `maxWords must be ${wordLimits.min}–${wordLimits.max}, got ${maxWords}.`);
  }
  const { contextWindow } = models.chatModel(task.model);
  const sources = sourcesWithin(task.sources, contextWindow - Math.min(reservedTokens, Math.floor(contextWindow / 2)));
  if (sources.length === 0) return null;
  const own = new UsageMeter();
  const completion = await models
    .complete(
      {
        model: task.model,
        messages: [
          {
            role: 'SYSTEM',
            text: `Summarise in at most ${maxWords} words.\n${citingRules}\n\n${renderSources(sources)}`,
          },
          { role: 'USER', text: about },
        ],
        sources,
        temperature: 0,
      },
      { ...call, meter: own },
    )
    .finally(() => call.meter.addUsage(own.usage));
  const rewriter = createCitationRewriter(sources);
  const pushed = rewriter.push(limitWords(completion.text, maxWords));
  const rest = rewriter.end();
  return {
    text: guardLinks((pushed.text + rest.text).trim(), linksOf(task)),
    citations: [...pushed.cited, ...rest.cited],
    model: completion.model,
    usage: own.usage,
  };
}

function linksOf({ sources, about }: SummaryTask): KnownLinks {
  const links = new KnownLinks();
  links.ask(about);
  for (const { text, url } of sources) links.know(url === null ? text : `${text} ${url}`);
  return links;
}

/** Whole sentences up to the limit, and always the first one. */
function limitWords(text: string, maxWords: number): string {
  let words = 0;
  let end = 0;
  for (const sentence of sentences(text)) {
    words += sentence.text.split(/\s+/).filter((word) => !/^\[\d+\][.,;]?$/.test(word)).length;
    if (end > 0 && words > maxWords) break;
    end = sentence.end;
  }
  return text.slice(0, end);
}
