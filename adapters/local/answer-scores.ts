import { contentStems } from '../../core/text/words.ts';
import type { Candidate } from './answer-candidates.ts';

/** A question as the scores need it. */
export interface Question {
  readonly text: string;
  readonly stems: readonly string[];
  readonly names: readonly string[];
  readonly asksFor: RegExp | null;
}

/** What a word counts that stands not in the sentence but around it. */
const headingWeight = 0.5;
const passageWeight = 0.15;
/** A sentence without what the question asks for (a number, a person), one with it, and sources that lack its name. */
const adjustment = { lacks: -0.12, has: 0.04, unknownName: -0.12 };

const number =
  /\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|sixty|ninety|hundred|thousand|million|half|once|twice|nothing|free)\b/i;
const time = new RegExp(
  `${number.source}|\\b(?:at|end|until|after|before|during|immediately|now|day|week|month|quarter|year|monday|tuesday|wednesday|thursday|friday|saturday|sunday)\\b`,
  'i',
);
const person =
  /\S\s\p{Lu}\p{L}+|\b(?:[Mm]anager|[Hh]ead|[Oo]wner|[Aa]dministrator|[Tt]eam|[Uu]ser|[Pp]erson|[Pp]eople|[Pp]arent|[Mm]ember|[Ee]veryone|[Ss]omebody|[Aa]nyone|[Nn]obody)s?\b/u;

export function readQuestion(text: string): Question {
  return { text, stems: [...new Set(contentStems(text))], names: namesIn(text), asksFor: askedFor(text.toLowerCase()) };
}

/**
 * Question-term coverage: the share of the question's weight, by inverse document frequency over the sentences, that the
 * sentence has. A word that no sentence has weighs most, so that a question about something else scores low. Smoothed, so
 * that in a handful of sentences a word of all of them still counts (BM25's idf would make it nothing). 0..1.
 */
export function coverage(question: Question, sentences: readonly Candidate[]): number[] {
  const weights = question.stems.map((stem) => {
    const holders = sentences.filter((sentence) => sentence.stems.has(stem)).length;
    return [stem, Math.log(1 + (sentences.length + 1) / (holders + 0.5))] as const;
  });
  const total = weights.reduce((sum, [, weight]) => sum + weight, 0);
  if (total === 0) return sentences.map(() => 0);
  return sentences.map(({ stems, heading, passage }) => {
    let covered = 0;
    for (const [stem, weight] of weights) {
      if (stems.has(stem)) covered += weight;
      else if (heading.has(stem)) covered += weight * headingWeight;
      else if (passage.has(stem)) covered += weight * passageWeight;
    }
    return covered / total;
  });
}

/** What to add for the kind of answer that the question asks for, and for a name of which the sources know nothing. */
export function fitness(question: Question, sentences: readonly Candidate[]): number[] {
  const known = new Set(sentences.flatMap(({ stems, heading }) => [...stems, ...heading]));
  const namesMissing = question.names.some((name) => ![...known].some((stem) => isSameName(name, stem)));
  const base = namesMissing ? adjustment.unknownName : 0;
  const { asksFor } = question;
  return sentences.map(({ text }) => {
    if (asksFor === null) return base;
    return base + (asksFor.test(text) ? adjustment.has : adjustment.lacks);
  });
}

function askedFor(question: string): RegExp | null {
  const amount = /^(?:and |so )?how (?:many|much|long|high|fast|far|old|often|deep|large|big|tall|quickly|soon)\b/;
  const measure =
    /\bwhat(?:'s| is| are)? (?:the |a )?(?:temperature|price|status code|maximum|minimum|size|fine|number)\b|\bcosts?\b/;
  if (amount.test(question) || measure.test(question)) return number;
  if (/^(?:and |so )?(?:when\b|(?:in |at )?(?:which|what) (?:year|month|day|time)\b)/.test(question)) return time;
  return /^(?:and |so )?(?:by )?whom?\b/.test(question) ? person : null;
}

/** Capitalised words past the first one; none when everything is capitalised. */
function namesIn(question: string): string[] {
  const words = question.match(/[\p{L}\p{N}][\p{L}\p{N}-]*/gu) ?? [];
  const capitalised = words.slice(1).filter((word) => /^\p{Lu}/u.test(word) && word.length > 2);
  if (capitalised.length > 1 && capitalised.length >= words.length / 2) return [];
  return capitalised.flatMap((word) => contentStems(word).slice(0, 1));
}

/** `europ` and `european` are one name. */
function isSameName(name: string, stem: string): boolean {
  return name === stem || (name.length >= 5 && stem.startsWith(name.slice(0, 5)));
}
