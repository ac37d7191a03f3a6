import { type SQL, sql } from './drizzle.ts';

/*
 * ts_headline marks words but escapes nothing, and takes what looks like a tag out of the text. So control characters stand
 * in for its marks and for angle brackets until the text is escaped; the parser takes them for space in every locale.
 */
const start = '\u0001';
const stop = '\u0002';
const border = '\u0003';
const less = '\u0004';
const greater = '\u0005';

const options = `StartSel="${start}", StopSel="${stop}", FragmentDelimiter="${border}", MaxFragments=3, MaxWords=30, MinWords=10, ShortWord=0`;

/** Fragments of the text around the words of the tsquery, for `highlightsOf`; null without a tsquery. */
export function headline(text: SQL, marked: SQL): SQL {
  const plain = sql`translate(${text}, ${`<>${start}${stop}${border}${less}${greater}`}::text, ${less + greater}::text)`;
  return sql`case when ${marked} is not null then ts_headline('english', ${plain}, ${marked}, ${options}::text) end`;
}

/** HTML-escaped fragments with <mark> around what was found; those without a mark say nothing and are left out. */
export function highlightsOf(headlineText: string | null): string[] {
  if (headlineText === null) return [];
  const fragments = headlineText.split(border).filter((fragment) => fragment.includes(start));
  return fragments.map((fragment) => Array.from(fragment, (character) => html[character] ?? character).join(''));
}

const html: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '"': '&quot;',
  "'": '&#39;',
  [less]: '&lt;',
  [greater]: '&gt;',
  [start]: '<mark>',
  [stop]: '</mark>',
};
