import { type BlockKind, markdownBlocks } from './markdown-blocks.ts';

/** `text` is exactly `source.slice(start, end)`. */
export interface Sentence {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** Where the marker of its block begins (`- `, `## `) when it is the block's first sentence; else `start`. */
  readonly lead: number;
  readonly kind: BlockKind;
}

const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' });

/** Never the end of a sentence: a name, an example or a number follows. */
const leadsOn = wordSet(
  'mr mrs ms dr prof st rev hon gen col capt lt sgt messrs mme e.g eg i.e ie viz vs cf resp approx ca al incl excl z.b d.h bzw u.a sog vgl',
);
/** An abbreviation only before a number: "No. 5", but "The answer is no." */
const beforeNumber = wordSet(
  'no nos nr p pp fig figs eq eqs sec secs ch chap vol vols art arts ref refs tab v ver rev ex op min max par para est jan feb mar apr jun jul aug sep sept oct nov dec',
);
/** May end a sentence, if a capital letter follows. */
const beforeCapital = wordSet('etc inc ltd co corp dept a.m p.m jr sr ed eds');
/** What a sentence begins with more often than a name does: "in the U.S. The next" against "the U.S. Army". */
const sentenceOpeners = wordSet(
  'the a an it this that these those in on at if when while but and or so we you he she they i there here however then as for to its our your what why how who where',
);

const mayEnd = /[\p{Sentence_Terminal}…\n]/u;
/**
 * Ends that the Unicode rules do not see: before a lower-case name of code, a number or a backtick ("It is done. npm.js
 * takes over"), and after a footnote or citation mark ("… as shown.[2] Next").
 */
const missedEnd =
  /[.!?]["'”’)\]*_`]*(?:\s+(?=["'“(*_[]*(?:`|\d|\p{Ll}+[\p{Lu}\d_./(]))|(?:\[\d{1,3}\])+\s+(?=["'“(*_`]*\p{Lu}))/gu;

/**
 * Splits text at the ends of sentences and at the borders of Markdown blocks, lazily. The Unicode rules
 * (Intl.Segmenter) propose; abbreviations, initials, versions, file names and wrapped lines are then put together again.
 */
export function* sentences(text: string): Generator<Sentence> {
  for (const block of markdownBlocks(text)) {
    const content = text.slice(block.contentStart, block.end);
    let lead = block.start;
    const spans =
      block.kind === 'code' || block.kind === 'table'
        ? [[0, content.length] as const]
        : sentenceSpans(unwrap(content, block.kind));
    for (const [from, to] of spans) {
      const raw = content.slice(from, to);
      const start = block.contentStart + from + (raw.length - raw.trimStart().length);
      const end = block.contentStart + from + raw.trimEnd().length;
      if (end <= start) continue;
      yield { text: text.slice(start, end), start, end, lead: Math.min(lead, start), kind: block.kind };
      lead = Number.POSITIVE_INFINITY;
    }
  }
}

export function splitSentences(text: string): Sentence[] {
  return [...sentences(text)];
}

/** The block with its wrapped lines joined, character for character, so that offsets stay. */
function unwrap(content: string, kind: BlockKind): string {
  if (!content.includes('\n')) return content;
  const joined = content.replace(/\n/g, (newline, offset: number) => (isWrap(content, offset) ? ' ' : newline));
  return kind === 'quote' ? joined.replace(/([\n ])( {0,3})>/g, '$1$2 ') : joined;
}

/** A short line before a capital is a line of its own (an address, `Key: value`); everything else was wrapped. */
function isWrap(content: string, newline: number): boolean {
  const lineStart = content.lastIndexOf('\n', newline - 1) + 1;
  return newline - lineStart >= 40 || !/^\s*\p{Lu}/u.test(content.slice(newline + 1, newline + 9));
}

function* sentenceSpans(text: string): Generator<readonly [number, number]> {
  let start = 0;
  // Headings and short items have one sentence: asking the segmenter costs more than all the rest.
  if (!mayEnd.test(text.slice(0, -1))) {
    yield [0, text.length];
    return;
  }
  for (const end of possibleEnds(text)) {
    if (end <= start || (end < text.length && goesOn(text, start, end))) continue;
    yield [start, end];
    start = end;
  }
}

/** In order; the last one is the end of the text. */
function* possibleEnds(text: string): Generator<number> {
  const missed = text.matchAll(missedEnd);
  let next = missed.next();
  for (const { segment, index } of segmenter.segment(text)) {
    const end = index + segment.length;
    for (; next.done !== true; next = missed.next()) {
      const missedAt = next.value.index + next.value[0].length;
      if (missedAt >= end) break;
      yield missedAt;
    }
    yield end;
  }
}

/** Whether what looks like an end is in the middle of a sentence. */
function goesOn(text: string, start: number, end: number): boolean {
  // Decided by what is near: a sentence of a megabyte must not be read again for each of its candidates.
  const before = text.slice(Math.max(start, end - 60), end);
  const after = text.slice(end, end + 40);
  if (/\n\s*$/.test(before)) return false;
  const ending = before.trimEnd();
  if (end - start <= 60 && !/[\p{L}\p{N}]/u.test(before)) return true;
  // Within a version, a file name, an address: no space after the dot. CJK needs none.
  if (ending.length === before.length) return !/[。！？｡…]["'”’」』）)]*$/u.test(ending);
  if (end - start <= 60 && /^\s*\d{1,3}[.)]$/.test(ending)) return true;

  const follows = after.replace(/^["'“‘(*_[`]+/, '');
  const lowerCaseFollows = /^\p{Ll}/u.test(follows);
  if (lowerCaseFollows && /(?:[!?]["'”’)]*|\.\.\.|…)$/.test(ending)) return true;

  const word = /(?:^|[\s("'“‘[/])((?:\p{L}\.)*\p{L}+)\.$/u.exec(ending)?.[1];
  if (word === undefined) return false;
  const lower = word.toLowerCase();
  if (leadsOn.has(lower)) return true;
  if (beforeNumber.has(lower) && /^[\d§#IVX]/.test(follows)) return true;
  if (beforeCapital.has(lower)) return !/^\p{Lu}/u.test(follows);
  const isInitials = word !== 'I' && /^(?:\p{Lu}\.)*\p{Lu}$/u.test(word);
  return isInitials && !sentenceOpeners.has((/^\p{L}+/u.exec(follows)?.[0] ?? '').toLowerCase());
}

function wordSet(words: string): ReadonlySet<string> {
  return new Set(words.split(' '));
}
