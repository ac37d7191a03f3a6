import type { CitationRecord } from '../contracts/run-event.ts';
import { type CitableSource, createCitationRewriter } from './citations.ts';

/** A whole text whose marks are numbered by source, with its marks made into citations: `[n]` is `citations[n - 1]`. */
export function citeText(
  text: string,
  sources: readonly CitableSource[],
): { readonly text: string; readonly citations: readonly CitationRecord[] } {
  const rewriter = createCitationRewriter(sources);
  const pushed = rewriter.push(text);
  const rest = rewriter.end();
  return { text: (pushed.text + rest.text).trim(), citations: [...pushed.cited, ...rest.cited] };
}
