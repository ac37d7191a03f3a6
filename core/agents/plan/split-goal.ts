import { splitSentences } from '../../text/sentences.ts';
import { contentStems } from '../../text/words.ts';
import { sidesOf } from './sides.ts';

/** One thing to look up. `builds`: it goes on from the one before it ("… and then …"). */
export interface Part {
  readonly text: string;
  readonly builds: boolean;
}

/** What of a pasted text can be the goal. */
const maxLength = 8_000;
const listLine = /^\s*(?:[-*+•]|\(?\d{1,2}[.)]|\(?[a-z][.)])\s+(.+)$/;
const inlineNumber = /(?:^|\s)\(?\d{1,2}[.)]\s+/;
/** A word that says what was said before: the part cannot be understood without it. */
const pronoun = /\b(?:it|its|they|them|their|this|that|these|those|there|he|she|one)\b/i;
const sequence = /^(?:and |,\s*)*(?:then|after that|afterwards|next|finally)\b,?\s*/i;
/** What a goal says about being a goal, and nothing about its matter. */
const opening =
  /^(?:please\s+)?(?:first(?:ly)?,?\s+)?(?:please\s+)?(?:(?:find(?: out)?|tell me|explain|describe|research|look up|show me)\s+(?:about\s+)?)?(?=\S+\s+\S)/i;

/**
 * Parts a goal by its form alone, for gateways without a model that could plan: the items of a list, its sentences and
 * questions, the sides of a choice or a comparison. What cannot be parted is one part.
 */
export function splitGoal(whole: string): readonly Part[] {
  const goal = whole.slice(0, maxLength).toWellFormed();
  const items = listItems(goal);
  const parts = items ?? sentencesOf(goal);
  const sided = parts.flatMap((part) =>
    sidesOf(part.text).map((text, index) => ({ text, builds: index === 0 && part.builds })),
  );
  return distinct(sided.map((part, index) => withSubject(part, sided[index - 1])));
}

/** Lines with bullets or numbers, numbers within a line, or what follows a colon, parted by semicolons or commas. */
function listItems(goal: string): Part[] | null {
  const lines = goal.split('\n').flatMap((line) => listLine.exec(line)?.[1] ?? []);
  if (lines.length >= 2) return lines.map(plain);
  const numbered = goal.split(inlineNumber);
  if (numbered.length >= 3 && /\d/.test(goal)) return numbered.slice(1).map(plain).filter(isSaying);
  const [, after = ''] = /^[^:\n]{3,120}:\s+([^\n]+)$/.exec(goal.trim()) ?? [];
  const separator = after.includes(';') ? /\s*;\s*(?:and\s+)?/ : /\s*,\s*(?:and\s+|or\s+)?|\s+and\s+/;
  const named = after
    .replace(/[.?!]+$/, '')
    .split(separator)
    .filter((item) => item.trim() !== '');
  return named.length >= 2 && named.every((item) => item.length <= 120) ? named.map(plain) : null;
}

function sentencesOf(goal: string): Part[] {
  const texts = splitSentences(goal).flatMap(({ text }) => clauses(text));
  const parts = texts
    .map((text) => ({ text: text.replace(sequence, '').replace(opening, ''), builds: sequence.test(text) }))
    .filter(isSaying);
  return parts.length === 0 ? [{ text: goal.trim(), builds: false }] : parts;
}

/** "How … , and what …?" asks twice; so does "… , then …". */
function clauses(sentence: string): string[] {
  return sentence
    .split(
      /,?\s+(?=(?:and|,)\s+(?:what|how|why|when|where|which|who|can|does|do|is|are)\s)|[,;]\s*(?=(?:and )?then\s)/i,
    )
    .map((clause) => clause.replace(/^and\s+(?!then\b)/i, '').trim());
}

/** "And how long is it kept?" is understood with the words of what came before. */
function withSubject(part: Part, before: Part | undefined): Part {
  if (before === undefined || !pronoun.test(part.text)) return part;
  const own = new Set(contentStems(part.text));
  const subject = wordsOf(before.text).filter((word) => contentStems(word).some((stem) => !own.has(stem)));
  return own.size >= 4 || subject.length === 0 ? part : { ...part, text: `${part.text} (${subject.join(' ')})` };
}

const wordsOf = (text: string): string[] => text.match(/[\p{L}\p{N}][\p{L}\p{N}.'’-]*/gu) ?? [];
const plain = (text: string): Part => ({ text: text.trim(), builds: false });
const isSaying = ({ text }: Part): boolean => contentStems(text).length > 0;

function distinct(parts: readonly Part[]): readonly Part[] {
  const seen = new Set<string>();
  return parts.filter(({ text }) => {
    const stems = contentStems(text).toSorted().join(' ') || text;
    const isNew = !seen.has(stems);
    seen.add(stems);
    return isNew;
  });
}
