import { stem } from '../text/stem.ts';

const word = /\p{N}+(?:\.\p{N}+)+|[\p{L}\p{M}\p{N}]+/gu;
const closing = /^[.,;:!?)\]}"'»”’]+/u;
/** The words that full-text search leaves out: PostgreSQL's list for English. */
const unsearched: ReadonlySet<string> = new Set(
  (
    'i me my myself we our ours ourselves you your yours yourself yourselves he him his himself she her hers herself it its ' +
    'itself they them their theirs themselves what which who whom this that these those am is are was were be been being have ' +
    'has had having do does did doing a an the and but if or because as until while of at by for with about against between ' +
    'into through during before after above below to from up down in out on off over under again further then once here there ' +
    'when where why how all any both each few more most other some such no nor not only own same so than too very s t can will ' +
    'just don should now'
  ).split(' '),
);

const maxFragments = 3;
const maxWords = 30;

/** The stems that a query's hits are marked by. */
export function queryStems(query: string): ReadonlySet<string> {
  const words = Array.from(query.matchAll(word), ([match]) => match.toLowerCase());
  return new Set(words.filter((match) => !unsearched.has(match)).map(stem));
}

/**
 * Up to three fragments of at most 30 words with most of the query's words, in the order of the text; HTML-escaped, with <mark>
 * around each word that has one of the stems. None without such a word.
 *
 * Made here and not by ts_headline, which parses every listed passage again: it took a third of a search, also of those whose
 * highlights nobody had asked for.
 */
export function highlights(text: string, stems: ReadonlySet<string>): string[] {
  // A word begins as its stem does: nearly all are told apart without stemming.
  const beginnings = new Set(Array.from(stems, beginning));
  const words = Array.from(text.matchAll(word), ({ 0: match, index }): Word => {
    const lower = match.toLowerCase();
    const root = beginnings.has(beginning(lower)) ? stem(lower) : null;
    return { start: index, end: index + match.length, stem: root !== null && stems.has(root) ? root : null };
  });
  return fragmentsOf(words).map((fragment) => marked(text, words, fragment));
}

const beginning = (text: string): string => text.slice(0, 2);

interface Word {
  readonly start: number;
  readonly end: number;
  /** Null: not one of the query's. */
  readonly stem: string | null;
}

/** Positions of words, both included. */
interface Fragment {
  readonly first: number;
  readonly last: number;
}

function fragmentsOf(words: readonly Word[]): Fragment[] {
  let marks = words.flatMap(({ stem }, position) => (stem === null ? [] : [{ stem, position }]));
  const fragments: Fragment[] = [];
  while (marks.length > 0 && fragments.length < maxFragments) {
    const { first, last } = stretched(densest(marks), fragments, words.length);
    fragments.push({ first, last });
    marks = marks.filter(({ position }) => position < first || position > last);
  }
  return fragments.sort((left, right) => left.first - right.first);
}

/** The marks that lie together with the most different stems, then the most of them, then the earliest. */
function densest(marks: readonly { readonly stem: string; readonly position: number }[]): Fragment {
  let best: Fragment = { first: 0, last: 0 };
  let bestScore = 0;
  for (const [index, { position: first }] of marks.entries()) {
    const together = marks.slice(index, index + maxWords).filter(({ position }) => position < first + maxWords);
    const score = new Set(together.map(({ stem }) => stem)).size * maxWords + together.length;
    if (score <= bestScore) continue;
    best = { first, last: together.at(-1)?.position ?? first };
    bestScore = score;
  }
  return best;
}

/** With what surrounds it, up to the fragments that are there. */
function stretched({ first, last }: Fragment, taken: readonly Fragment[], count: number): Fragment {
  const from = Math.max(0, ...taken.filter((other) => other.last < first).map((other) => other.last + 1));
  const to = Math.min(count, ...taken.filter((other) => other.first > last).map((other) => other.first)) - 1;
  const room = maxWords - (last - first + 1);
  const before = Math.min(first - from, Math.max(Math.floor(room / 2), room - (to - last)));
  return { first: first - before, last: Math.min(to, last + room - before) };
}

function marked(text: string, words: readonly Word[], { first, last }: Fragment): string {
  const part = words.slice(first, last + 1);
  const end = words[last]?.end ?? text.length;
  let place = first === 0 ? 0 : (words[first]?.start ?? 0);
  let html = '';
  for (const { start, end: wordEnd, stem } of part) {
    if (stem === null) continue;
    html += `${escaped(text.slice(place, start))}<mark>${escaped(text.slice(start, wordEnd))}</mark>`;
    place = wordEnd;
  }
  const after = last === words.length - 1 ? text.slice(end) : (closing.exec(text.slice(end, end + 10))?.[0] ?? '');
  return (html + escaped(text.slice(place, end) + after)).trim();
}

const html: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => html[character] ?? character);
}
