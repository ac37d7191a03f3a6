import type { Source } from '../../core/contracts/model-provider.ts';
import { type Candidate, candidates } from './answer-candidates.ts';
import { coverage, fitness, readQuestion } from './answer-scores.ts';

/** Cosine similarities of one text to others; null when they can't be had (the model still loads, or is too busy). */
export type Similarity = (text: string, others: readonly string[]) => Promise<readonly number[] | null>;

export const refusal = 'The documents do not answer this.';

const maxSentences = 5;
/** How many of the best sentences by their words are compared by meaning too: a sentence takes some 30 ms. */
const comparedSentences = 8;
/** Sentences nearly as good as the best one are said too. */
const shareOfBest = 0.7;
/** Two sentences with so many words in common say the same. */
const sameShare = 0.8;
/**
 * Below it: refusal. Chosen on the 49 `tuning` questions of test/adapters/local/questions.ts, checked on 24 others
 * (extractive-answer.test.ts). By words and meaning it refuses 1 of 37 answerable questions, and none of 73 off the topic of
 * the sources passes. Unanswerable ones on their very topic score nearly like answerable ones: 19 of 36 pass, with what comes
 * nearest; to stop half of these would refuse four times as many good answers. By words alone: 5 of 37, 3 of 73, 14 of 36.
 */
const threshold = { words: 0.27, wordsAndMeaning: 0.32 };

/**
 * The sentences of `sources` that answer `question` best, in the order of the sources, each with its mark: "It is due
 * within 30 days. [2]". Ranked by the question's words, half by meaning where the model is at hand. The refusal when
 * none is good enough.
 */
export async function extractiveAnswer(
  question: string,
  sources: readonly Source[],
  similarity: Similarity,
): Promise<string> {
  const all = candidates(sources);
  const asked = readQuestion(question);
  if (all.length === 0 || (asked.stems.length === 0 && question.trim() === '')) return refusal;

  const covered = coverage(asked, all);
  const fits = fitness(asked, all);
  const byWords = best(all, (sentence) => (covered[sentence.position] ?? 0) + (fits[sentence.position] ?? 0));

  const head = byWords.slice(0, comparedSentences);
  const similar = await similarity(
    question,
    head.map(({ sentence }) => sentence.text),
  );
  if (similar === null) return answerOf(byWords, threshold.words);
  const byMeaning = new Map(head.map(({ sentence }, index) => [sentence, similar[index] ?? 0]));
  const ranked = best([...byMeaning.keys()], (sentence) => {
    const words = covered[sentence.position] ?? 0;
    return 0.5 * words + 0.5 * (byMeaning.get(sentence) ?? 0) + (fits[sentence.position] ?? 0);
  });
  return answerOf(ranked, threshold.wordsAndMeaning);
}

interface Ranked {
  readonly sentence: Candidate;
  readonly score: number;
}

/** Equal scores keep the order of the sources, which is the search's own ranking. */
function best(sentences: readonly Candidate[], score: (sentence: Candidate) => number): Ranked[] {
  return sentences
    .map((sentence) => ({ sentence, score: score(sentence) }))
    .sort((left, right) => right.score - left.score || left.sentence.position - right.sentence.position);
}

function answerOf(ranked: readonly Ranked[], least: number): string {
  const top = ranked[0]?.score ?? 0;
  if (top < least) return refusal;
  return cite(
    distinct(
      ranked.filter(({ score }) => score >= Math.max(least, top * shareOfBest)),
      maxSentences,
    ),
  );
}

/** The first `count` that do not repeat an earlier one. */
export function distinct(ranked: readonly Ranked[], count: number): Candidate[] {
  const chosen: Candidate[] = [];
  for (const { sentence } of ranked) {
    if (chosen.length === count) break;
    if (!chosen.some((earlier) => saysTheSame(earlier.stems, sentence.stems))) chosen.push(sentence);
  }
  return chosen;
}

function saysTheSame(left: ReadonlySet<string>, right: ReadonlySet<string>): boolean {
  const common = [...left].filter((stem) => right.has(stem)).length;
  return common / Math.max(1, Math.min(left.size, right.size)) >= sameShare;
}

/** In the order of the sources. As a list when a sentence has no full stop that would part it from the next. */
export function cite(chosen: readonly Candidate[]): string {
  const marked = chosen
    .toSorted((left, right) => left.position - right.position)
    .map(({ text, source }) => `${text} [${source}]`);
  const isList =
    chosen.length > 1 && chosen.some(({ text }) => !/[\p{Sentence_Terminal}…]["'”’」』)*_`]*$/u.test(text));
  return isList ? marked.map((line) => `- ${line}`).join('\n') : marked.join(' ');
}
