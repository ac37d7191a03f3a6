import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Sentence, sentences } from './sentences.ts';

export interface PassageOptions {
  readonly maxWords?: number;
  /** How much of a passage's end is said again at the beginning of the next one, in whole sentences. */
  readonly overlapWords?: number;
  readonly maxCharacters?: number;
}
export interface Passage {
  /** Literally in the text that was split. */
  readonly text: string;
}

/** A sentence, or a part of one that is too long. */
interface Unit {
  readonly start: number;
  readonly end: number;
  readonly words: number;
  readonly isHeading: boolean;
}

/** About what an embedding model of 256 tokens reads of English prose. */
const defaults = { maxWords: 180, overlapWords: 30, maxCharacters: 2_000 };
/** The event loop is held for so long at a time. */
const turnMs = 8;

/**
 * Splits normalised text into passages at sentence borders, with overlap. A heading begins a new passage (without
 * overlap) once the current one holds a quarter of `maxWords`, and is never the last line of one. A sentence that is
 * too long is cut between words, and a word that is too long between characters. Lazy, and linear in the text's length.
 */
export function* passages(text: string, options: PassageOptions = {}): Generator<Passage> {
  const limits = { ...defaults, ...options };
  let units: Unit[] = [];
  let words = 0;

  for (const unit of unitsOf(text, limits)) {
    if (units.length > 0) {
      const full = !fits(units, words, unit, limits);
      const newSection = unit.isHeading && !units.at(-1)?.isHeading && words >= limits.maxWords / 4;
      if (full || newSection) {
        const headings = trailingHeadings(units);
        const body = units.slice(0, units.length - headings.length);
        yield passageOf(text, body);
        units = headings.length > 0 || newSection ? headings : overlap(body, unit, limits);
        words = units.reduce((sum, kept) => sum + kept.words, 0);
        if (headings.length > 0 && !fits(headings, words, unit, limits)) {
          yield passageOf(text, headings);
          units = [];
          words = 0;
        }
      }
    }
    units.push(unit);
    words += unit.words;
  }
  if (units.length > 0) yield passageOf(text, units);
}

export function splitPassages(text: string, options: PassageOptions = {}): Passage[] {
  return [...passages(text, options)];
}

/** The same, giving the event loop its turn every few milliseconds. Rejects with the signal's reason. */
export async function splitPassagesInTurns(
  text: string,
  options: PassageOptions = {},
  signal?: AbortSignal,
): Promise<Passage[]> {
  const split: Passage[] = [];
  let turnEnds = performance.now() + turnMs;
  for (const passage of passages(text, options)) {
    split.push(passage);
    if (performance.now() < turnEnds) continue;
    await nextTurn();
    signal?.throwIfAborted();
    turnEnds = performance.now() + turnMs;
  }
  return split;
}

/**
 * What a text weighs against `maxWords`. A CJK character counts as a word, as it does for the models that embed it; a
 * run of letters counts one per 15 characters begun, since addresses and code take many tokens without any space.
 */
export function countWords(text: string): number {
  let words = 0;
  let run = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (isSpace(code)) run = 0;
    else if (isCjk(code)) {
      run = 0;
      words += 1;
    } else {
      if (run % 15 === 0) words += 1;
      run += 1;
    }
  }
  return words;
}

function passageOf(text: string, units: readonly Unit[]): Passage {
  return { text: text.slice(units[0]?.start ?? 0, units.at(-1)?.end ?? 0) };
}

function fits(units: readonly Unit[], words: number, next: Unit, limits: typeof defaults): boolean {
  const start = units[0]?.start ?? next.start;
  return words + next.words <= limits.maxWords && next.end - start <= limits.maxCharacters;
}

/** At most a title and two levels under it: more is a list of headings, and splits like any other text. */
function trailingHeadings(units: readonly Unit[]): Unit[] {
  let count = 0;
  while (count < Math.min(units.length - 1, 3) && units[units.length - 1 - count]?.isHeading === true) count += 1;
  return units.slice(units.length - count);
}

/** The last whole units within `overlapWords` that leave room for `next`. */
function overlap(units: readonly Unit[], next: Unit, limits: typeof defaults): Unit[] {
  let words = 0;
  let count = 0;
  for (let index = units.length - 1; index > 0; index -= 1) {
    const unit = units[index];
    if (unit === undefined || unit.isHeading) break;
    words += unit.words;
    if (words > limits.overlapWords || !fits([unit], words, next, limits)) break;
    count += 1;
  }
  return units.slice(units.length - count);
}

function* unitsOf(text: string, limits: typeof defaults): Generator<Unit> {
  for (const sentence of sentences(text)) {
    const isHeading = sentence.kind === 'heading';
    const words = countWords(text.slice(sentence.lead, sentence.end));
    if (words <= limits.maxWords && sentence.end - sentence.lead <= limits.maxCharacters) {
      yield { start: sentence.lead, end: sentence.end, words, isHeading };
    } else {
      yield* partsOf(text, sentence, limits);
    }
  }
}

/** Parts no longer than the overlap, so that passages of one endless sentence overlap like all others. */
function* partsOf(text: string, sentence: Sentence, limits: typeof defaults): Generator<Unit> {
  const maxWords = Math.max(1, Math.min(limits.maxWords, limits.overlapWords));
  const maxCharacters = Math.max(2, Math.floor((limits.maxCharacters * maxWords) / limits.maxWords));
  for (let start = sentence.lead; start < sentence.end; ) {
    const end = endOfPart(text, start, sentence.end, maxWords, maxCharacters);
    yield { start, end, words: countWords(text.slice(start, end)), isHeading: false };
    start = end;
    while (start < sentence.end && isSpace(text.charCodeAt(start))) start += 1;
  }
}

function endOfPart(text: string, start: number, limit: number, maxWords: number, maxCharacters: number): number {
  let end = start;
  let border = start;
  let words = 0;
  let run = 0;
  for (; end < limit && end - start < maxCharacters; end += 1) {
    const code = text.charCodeAt(end);
    if (isSpace(code)) {
      if (run > 0) border = end;
      run = 0;
      continue;
    }
    const weighs = isCjk(code) || run % 15 === 0;
    if (weighs && words === maxWords) break;
    if (weighs) words += 1;
    if (isCjk(code)) border = end + 1;
    run = isCjk(code) ? 0 : run + 1;
  }
  if (end >= limit || isSpace(text.charCodeAt(end))) return end;
  if (border > start) return border;
  const cutsPair = (text.charCodeAt(end) & 0xfc00) === 0xdc00 && end - start > 1;
  return cutsPair ? end - 1 : end;
}

function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13) || code === 160 || code === 0x3000;
}

/** Scripts written without spaces between words, and Hangul, which these models read by the syllable. */
function isCjk(code: number): boolean {
  return (
    code >= 0x0e00 &&
    (code <= 0x0eff ||
      (code >= 0x2e80 && code <= 0x9fff && code !== 0x3000) ||
      (code >= 0xac00 && code <= 0xd7af) ||
      (code >= 0xf900 && code <= 0xfaff) ||
      (code >= 0xff66 && code <= 0xff9f))
  );
}
