import { stem } from '../text/stem.ts';
import { type WordPlaces, wordPlaces } from './word-places.ts';

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

/** Of a letter; digits have it already. */
const asciiLower = 0x20;

const maxFragments = 3;
const maxWords = 30;

/** The highlights of one hit's text. */
export type Highlighter = (text: string) => string[];

/**
 * Makes up to three fragments of at most 30 words with most of the query's words, in the order of the text; HTML-escaped, with <mark>
 * around each word that has the stem of one of them. None without such a word.
 *
 * Made here and not by ts_headline, which parses every listed passage again: it took a third of a search, also of those whose
 * highlights nobody had asked for.
 */
export function highlighter(query: string): Highlighter {
  const { starts, ends } = wordPlaces(query);
  const asked = starts.map((start, position) => query.slice(start, ends[position]).toLowerCase());
  const stemAmong = stemFinder(new Set(asked.filter((lower) => !unsearched.has(lower)).map(stem)));
  return (text) => {
    const words = wordPlaces(text);
    const marks: Mark[] = [];
    words.starts.forEach((start, position) => {
      const stem = stemAmong(text, start, words.ends[position]);
      if (stem !== null) marks.push({ stem, position });
    });
    return fragmentsOf(marks, words.starts.length).map((fragment) => marked(text, words, marks, fragment));
  };
}

/** Gives the stem of a word if it is one of these. Nearly all others are told apart by how they begin, without being stemmed. */
function stemFinder(
  stems: ReadonlySet<string>,
): (text: string, start: number, end: number | undefined) => string | null {
  // Stemming changes at most the last letter of what it leaves.
  const beginnings = Array.from(stems, (stem) => stem.slice(0, Math.max(2, stem.length - 1)));
  const firstLetters = new Set(beginnings.map((beginning) => beginning.charCodeAt(0)));
  return (text, start, end) => {
    const first = text.charCodeAt(start);
    if (first < 128 && !firstLetters.has(first | asciiLower)) return null;
    const lower = text.slice(start, end).toLowerCase();
    if (!beginnings.some((beginning) => lower.startsWith(beginning))) return null;
    const root = stem(lower);
    return stems.has(root) ? root : null;
  };
}

/** A word of the query's, by its position among the words. */
interface Mark {
  readonly stem: string;
  readonly position: number;
}

/** Positions of words, both included. */
interface Fragment {
  readonly first: number;
  readonly last: number;
}

function fragmentsOf(marks: readonly Mark[], count: number): Fragment[] {
  let left = marks;
  const fragments: Fragment[] = [];
  while (left.length > 0 && fragments.length < maxFragments) {
    const { first, last } = stretched(densest(left), fragments, count);
    fragments.push({ first, last });
    left = left.filter(({ position }) => position < first || position > last);
  }
  return fragments.sort((before, after) => before.first - after.first);
}

/** The marks that lie together with the most different stems, then the most of them, then the earliest. */
function densest(marks: readonly Mark[]): Fragment {
  let best: Fragment = { first: 0, last: 0 };
  let bestScore = 0;
  // Of the marks from `index` to before `end`, which both only ever go on.
  const counts = new Map<string, number>();
  let end = 0;
  marks.forEach(({ stem, position: first }, index) => {
    for (let mark = marks[end]; mark !== undefined && mark.position < first + maxWords; mark = marks[end]) {
      counts.set(mark.stem, (counts.get(mark.stem) ?? 0) + 1);
      end += 1;
    }
    const score = counts.size * maxWords + end - index;
    if (score > bestScore) {
      best = { first, last: marks[end - 1]?.position ?? first };
      bestScore = score;
    }
    const left = (counts.get(stem) ?? 0) - 1;
    if (left > 0) counts.set(stem, left);
    else counts.delete(stem);
  });
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

function marked(text: string, { starts, ends }: WordPlaces, marks: readonly Mark[], { first, last }: Fragment): string {
  const end = ends[last] ?? text.length;
  let place = first === 0 ? 0 : (starts[first] ?? 0);
  let html = '';
  for (const { position } of marks) {
    if (position < first || position > last) continue;
    const [from = end, to = end] = [starts[position], ends[position]];
    html += `${escaped(text.slice(place, from))}<mark>${escaped(text.slice(from, to))}</mark>`;
    place = to;
  }
  const after = last === ends.length - 1 ? text.slice(end) : (closing.exec(text.slice(end, end + 10))?.[0] ?? '');
  return (html + escaped(text.slice(place, end) + after)).trim();
}

const html: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => html[character] ?? character);
}
