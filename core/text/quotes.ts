import { splitSentences } from './sentences.ts';
import { contentStems } from './words.ts';

const maxLength = 300;

interface Candidate {
  readonly text: string;
  readonly isProse: boolean;
  readonly stems: readonly string[];
}

/** Finds in one source the words that support a claim. The source is split once, at the first question. */
export function quoteFinder(source: string): (claim: string) => string {
  let candidates: readonly Candidate[] | undefined;
  return (claim) => {
    const said = claim.trim();
    if (said !== '' && said.length <= maxLength && source.includes(said)) return said;
    candidates ??= splitSentences(source).map(({ text, kind }) => ({
      text,
      isProse: kind === 'paragraph' || kind === 'listItem' || kind === 'quote',
      stems: contentStems(text),
    }));
    const wanted = weights(new Set(contentStems(claim)), candidates);
    const best = bestOf(candidates, wanted);
    return best === undefined ? shortened(source.trim(), wanted) : shortened(best.text, wanted);
  };
}

/** A claim's word counts more the fewer of the sentences have it. */
function weights(claim: ReadonlySet<string>, candidates: readonly Candidate[]): ReadonlyMap<string, number> {
  const wanted = new Map<string, number>();
  for (const stem of claim) {
    const holders = candidates.filter((candidate) => candidate.stems.includes(stem)).length;
    if (holders > 0) wanted.set(stem, Math.log(1 + candidates.length / holders));
  }
  return wanted;
}

/** The best supporting sentence; prose before tables and code; without any shared word the first prose there is. */
function bestOf(candidates: readonly Candidate[], wanted: ReadonlyMap<string, number>): Candidate | undefined {
  let best: Candidate | undefined;
  let bestScore = Number.NEGATIVE_INFINITY;
  for (const candidate of candidates) {
    const score = support(candidate.stems, wanted) + (candidate.isProse ? 0.1 : 0);
    if (score <= bestScore) continue;
    best = candidate;
    bestScore = score;
  }
  return best;
}

/** Shared weight over the square root of the length: a long sentence shares words by chance. */
function support(stems: readonly string[], wanted: ReadonlyMap<string, number>): number {
  let shared = 0;
  for (const stem of new Set(stems)) shared += wanted.get(stem) ?? 0;
  return shared / Math.sqrt(stems.length + 5);
}

/** A stretch of whole words of at most 300 characters with most of what is wanted in it. */
function shortened(text: string, wanted: ReadonlyMap<string, number>): string {
  if (text.length <= maxLength) return text;
  const words = [...text.matchAll(/\S+/g)].map((match) => {
    const gain = contentStems(match[0]).reduce((sum, stem) => sum + (wanted.get(stem) ?? 0), 0);
    return { start: match.index, end: match.index + match[0].length, gain };
  });
  let best = { start: 0, end: cutWithin(text, maxLength), gain: Number.NEGATIVE_INFINITY };
  let gain = 0;
  let first = 0;
  for (const word of words) {
    gain += word.gain;
    for (
      let oldest = words[first];
      oldest !== undefined && word.end - oldest.start > maxLength;
      oldest = words[first]
    ) {
      gain -= oldest.gain;
      first += 1;
    }
    const start = words[first]?.start;
    // At an equal gain the longer stretch of the same beginning reads better.
    if (start !== undefined && start < word.end && (gain > best.gain || (gain >= best.gain && start === best.start))) {
      best = { start, end: word.end, gain };
    }
  }
  return text.slice(best.start, best.end);
}

/** A cut that does not part a surrogate pair. */
function cutWithin(text: string, length: number): number {
  return (text.charCodeAt(length) & 0xfc00) === 0xdc00 ? length - 1 : length;
}
