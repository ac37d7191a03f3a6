/** Where each word of a text begins and ends. Two lists of numbers: an object for each word of each hit would have to be collected. */
export interface WordPlaces {
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** Of characters, so that the higher are also the lower: a number is a part of a word. */
const other = 0;
const letter = 1;
const number = 2;

const numbers = /\p{N}/u;
const letters = /[\p{L}\p{M}]/u;
/** The kinds of characters by their codes, one more each: 0 for what has not come yet. Those of two units are not kept. */
const kinds = new Uint8Array(0x1_00_00);
const point = 0x2e;

/**
 * What the expression `/\p{N}+(?:\.\p{N}+)+|[\p{L}\p{M}\p{N}]+/gu` finds: runs of letters, marks and digits, and numbers with points in
 * them. By hand, since the expression makes an object for each match, and the hits of twenty searches have thirty thousand words.
 */
export function wordPlaces(text: string): WordPlaces {
  const starts: number[] = [];
  const ends: number[] = [];
  let index = 0;
  while (index < text.length) {
    if (kindAt(text, index) === other) {
      index += widthAt(text, index);
      continue;
    }
    starts.push(index);
    index = pointedEnd(text, index) ?? runEnd(text, index, letter);
    ends.push(index);
  }
  return { starts, ends };
}

/** Where a number with points in it ends; null where none begins. */
function pointedEnd(text: string, start: number): number | null {
  let end = runEnd(text, start, number);
  if (end === start) return null;
  let isPointed = false;
  while (text.charCodeAt(end) === point) {
    const next = runEnd(text, end + 1, number);
    if (next === end + 1) break;
    isPointed = true;
    end = next;
  }
  return isPointed ? end : null;
}

function runEnd(text: string, start: number, least: number): number {
  let index = start;
  while (index < text.length && kindAt(text, index) >= least) index += widthAt(text, index);
  return index;
}

function kindAt(text: string, index: number): number {
  const code = text.codePointAt(index) ?? 0;
  const known = kinds[code] ?? 0;
  if (known > 0) return known - 1;
  const kind = kindOf(String.fromCodePoint(code));
  kinds[code] = kind + 1;
  return kind;
}

function kindOf(character: string): number {
  if (numbers.test(character)) return number;
  return letters.test(character) ? letter : other;
}

/** In units of UTF-16. */
function widthAt(text: string, index: number): number {
  return (text.codePointAt(index) ?? 0) > 0xff_ff ? 2 : 1;
}
