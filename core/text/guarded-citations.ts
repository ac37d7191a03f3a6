import type { CitationRecord } from '../contracts/run-event.ts';
import { type CitableSource, type CitationRewriter, createCitationRewriter, type RewrittenText } from './citations.ts';
import type { KnownLinks } from './known-links.ts';
import { createLinkGuard } from './link-guard.ts';

/**
 * What a model writes, as it is passed on: its marks made into citations of `sources` (null: they are not marks), and the links that
 * are none of `links` taken out (null: all are let through). `earlier`: citations whose numbers are gone on with. A citation comes with the text that its mark stands in.
 */
export function guardedCitations(
  sources: readonly CitableSource[] | null,
  links: KnownLinks | null,
  earlier: readonly CitationRecord[] = [],
): CitationRewriter {
  if (sources === null && links === null) return passedOn;
  const rewriter = sources === null ? null : createCitationRewriter(sources, earlier);
  const guard = links === null ? null : createLinkGuard(links);
  /** The guard has not passed their marks on yet. */
  let awaited: readonly CitationRecord[] = [];

  function shown(text: string, cited: readonly CitationRecord[], isEnd: boolean): RewrittenText {
    const all = [...awaited, ...cited];
    const isShown = ({ number }: CitationRecord): boolean => isEnd || text.includes(`[${number}]`);
    awaited = all.filter((citation) => !isShown(citation));
    return { text, cited: all.filter(isShown) };
  }

  return {
    push(delta) {
      const { text, cited } = rewriter?.push(delta) ?? { text: delta, cited: [] };
      return guard === null ? { text, cited } : shown(guard.push(text), cited, false);
    },
    end() {
      const { text, cited } = rewriter?.end() ?? { text: '', cited: [] };
      return guard === null ? { text, cited } : shown(guard.push(text) + guard.end(), cited, true);
    },
  };
}

const nothing: RewrittenText = { text: '', cited: [] };

const passedOn: CitationRewriter = {
  push: (delta) => ({ text: delta, cited: [] }),
  end: () => nothing,
};
