import type { Source } from '../../core/contracts/model-provider.ts';
import { type Candidate, candidates } from './answer-candidates.ts';
import { coverage, readQuestion } from './answer-scores.ts';
import { cite, distinct, refusal } from './extractive-answer.ts';

const defaultWords = 120;
const maxSentences = 12;
/** Sentences at the beginning of a text say more often what it is about. */
const leadBonus = 0.15;
const aboutShare = 0.5;

export interface SummaryWish {
  /** What it should be about; may be empty. */
  readonly about: string;
  readonly maxWords: number;
}

/**
 * Whether the messages ask for a summary, as core and people do: an instruction that begins so, or a request for nothing
 * but that. Null: a question.
 */
export function summaryWish(instruction: string, question: string): SummaryWish | null {
  const begins =
    /^\s*(?:please |can you |could you )?(?:summari[sz]e|give (?:me )?(?:a |an )?(?:short |brief )?(?:summary|overview)|tl;?dr)\b/i;
  if (!begins.test(instruction) && !begins.test(question)) return null;
  const words = /\b(?:in|at most|within|under|about|of)\s+(\d{1,4})\s+words?\b/i.exec(
    `${instruction.slice(0, 500)}\n${question}`,
  );
  const about = begins.test(question) ? question.replace(begins, '').replace(requestWords, ' ') : question;
  return { about, maxWords: Math.max(1, Number(words?.[1] ?? defaultWords)) };
}

const requestWords =
  /\b(?:this|these|the|all|your|my|in|at most|within|under|about|\d+|words?|sentences?|documents?|passages?|texts?|files?|sources?|contents?|me|for|of|please|short|brief)\b/gi;

/**
 * The most central sentences: those with the words that most sentences share, half weighed by what the summary should
 * be about, as many as fit `maxWords` and always one.
 */
export function extractiveSummary(wish: SummaryWish, sources: readonly Source[]): string {
  const all = candidates(sources);
  if (all.length === 0) return refusal;
  const about = readQuestion(wish.about);
  const covered = coverage(about, all);
  const central = centrality(all);
  const share = about.stems.length === 0 ? 0 : aboutShare;
  const ranked = all
    .map((sentence, index) => ({
      sentence,
      score:
        (1 - share) * (central[index] ?? 0) + share * (covered[index] ?? 0) + (sentence.place === 0 ? leadBonus : 0),
    }))
    .sort((left, right) => right.score - left.score || left.sentence.position - right.sentence.position);

  const chosen: Candidate[] = [];
  let words = 0;
  for (const sentence of distinct(ranked, maxSentences)) {
    const length = sentence.text.split(/\s+/).length;
    if (chosen.length > 0 && words + length > wish.maxWords) continue;
    chosen.push(sentence);
    words += length;
  }
  return cite(chosen);
}

/** How much of the sentences' common vocabulary one has, over the root of its length; the greatest is 1. */
function centrality(sentences: readonly Candidate[]): number[] {
  const holders = new Map<string, number>();
  for (const { stems } of sentences) for (const stem of stems) holders.set(stem, (holders.get(stem) ?? 0) + 1);
  const raw = sentences.map(({ stems }) => {
    let sum = 0;
    for (const stem of stems) sum += Math.log(holders.get(stem) ?? 1);
    return sum / Math.sqrt(stems.size + 5);
  });
  const greatest = Math.max(...raw, Number.EPSILON);
  return raw.map((value) => value / greatest);
}
