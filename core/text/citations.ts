import type { CitationRecord } from '../contracts/run-event.ts';
import { type MarkReading, readMark } from './citation-marks.ts';
import { quoteFinder } from './quotes.ts';
import { splitSentences } from './sentences.ts';
import { contentStems } from './words.ts';

/** A source as the model was shown it: `number` is the n it writes in `[n]`. */
export interface CitableSource {
  readonly number: number;
  readonly text: string;
  readonly title: string | null;
  readonly url: string | null;
  readonly passageId: string;
}
export interface RewrittenText {
  readonly text: string;
  /** Those that `text` cites for the first time, in the order of their numbers. */
  readonly cited: readonly CitationRecord[];
}
export interface CitationRewriter {
  push(delta: string): RewrittenText;
  /** What was still held back. */
  end(): RewrittenText;
}

/** How far undecided text is held back before it is taken for ordinary text. */
const maxInlineCode = 500;
const maxFenceInfo = 200;
const maxSpaces = 16;
const maxMarks = 32;
/** How much of what was said is kept, to know what a mark supports. */
const claimLength = 1_000;
const beforeFence = /^[\s>]*(?:(?:[-*+]|\d{1,9}[.)])\s+)*$/;

/**
 * Turns the model's marks, numbered by source, into citations numbered by first use, while the text streams: afterwards
 * `[n]` in the text is citation n. Marks of unknown sources are dropped, with the space before them. Code, fenced or
 * inline, and all other brackets pass unchanged. What cannot be decided yet is held back, so the result does not depend
 * on how the text was cut into deltas. `earlier`: what the text before this one has cited; its numbers are gone on with.
 */
export function createCitationRewriter(
  sources: readonly CitableSource[],
  earlier: readonly Pick<CitationRecord, 'number' | 'passageId'>[] = [],
): CitationRewriter {
  const known = new Map(sources.map((source) => [source.number, { source, quote: quoteFinder(source.text) }]));
  const isKnown = (number: number) => known.has(number);
  const passages = new Map(earlier.map(({ passageId, number }) => [passageId, number]));
  const citations = new Map(
    sources.flatMap(({ number, passageId }): [number, number][] => {
      const cited = passages.get(passageId);
      return cited === undefined ? [] : [[number, cited]];
    }),
  );
  let lastNumber = Math.max(0, ...passages.values());
  let pending = '';
  let fence: string | null = null;
  /** The current line so far, as long as it decides whether a fence begins or ends. */
  let line = '';
  let said = '';
  let saidSinceMark = '';

  return {
    push(delta) {
      pending += delta;
      return advance(false);
    },
    end: () => advance(true),
  };

  function advance(isEnd: boolean): RewrittenText {
    const cited: CitationRecord[] = [];
    let text = '';
    let index = 0;
    while (index < pending.length) {
      const step = next(index, isEnd, cited);
      if (step === null) break;
      text += step.text;
      index = step.end;
    }
    pending = pending.slice(index);
    return { text, cited };
  }

  /** One decided stretch of `pending` from `index`; null when more text is needed. */
  function next(index: number, isEnd: boolean, cited: CitationRecord[]): { text: string; end: number } | null {
    if (fence !== null) return emit(pending.slice(index, insideFence(index)), insideFence(index), true);
    const character = pending.charAt(index);
    if (character === '`' || character === '~') return codeAt(index, isEnd);
    if (character === ' ' || character === '[' || character === '【') return marksAt(index, isEnd, cited);
    let end = index + 1;
    while (end < pending.length && !'`~ [【\n'.includes(pending.charAt(end))) end += 1;
    return emit(pending.slice(index, end), end);
  }

  function emit(text: string, end: number, isFenced = false): { text: string; end: number } {
    const newline = text.lastIndexOf('\n');
    const closed = `${line}${newline < 0 ? '' : text.slice(0, newline)}`;
    line = newline < 0 ? line + text : text.slice(newline + 1);
    // Only its length still matters.
    if (line.length > maxFenceInfo) line = line.slice(0, maxFenceInfo + 1);
    if (isFenced) {
      if (newline >= 0 && closesFence(closed)) fence = null;
    } else {
      said = tailOf(said + text);
      saidSinceMark = tailOf(saidSinceMark + text);
    }
    return { text, end };
  }

  /** Fenced text passes at once, but line by line, so that each line can be the closing one. */
  function insideFence(index: number): number {
    const newline = pending.indexOf('\n', index);
    return newline < 0 ? pending.length : newline + 1;
  }
  function closesFence(closing: string): boolean {
    if (closing.length > maxFenceInfo) return false;
    const marks = closing.replace(/^[\s>]*/, '').trimEnd();
    return fence !== null && marks.startsWith(fence) && marks === fence.charAt(0).repeat(marks.length);
  }

  function codeAt(index: number, isEnd: boolean): { text: string; end: number } | null {
    const mark = pending.charAt(index);
    let afterRun = index;
    while (pending.charAt(afterRun) === mark) afterRun += 1;
    if (afterRun === pending.length && !isEnd) return null;
    const run = pending.slice(index, afterRun);

    if (run.length >= 3 && line.length <= maxFenceInfo && beforeFence.test(line)) {
      const info = pending.slice(afterRun, afterRun + maxFenceInfo);
      const newline = info.indexOf('\n');
      const isDecided = newline >= 0 || info.length === maxFenceInfo || isEnd;
      const isInline = mark === '`' && (newline < 0 ? info : info.slice(0, newline)).includes('`');
      if (!isDecided && !isInline) return null;
      if (!isInline) {
        const opened = emit(run, afterRun);
        fence = run;
        // The opening line's info must not be taken for a closing line.
        line = `${line}.`;
        return opened;
      }
    }
    if (mark === '~') return emit(run, afterRun);

    // A run of backticks is code only if one of the same length closes it on the same line.
    const limit = afterRun + maxInlineCode;
    for (let at = afterRun; at < limit; ) {
      if (at >= pending.length) return isEnd ? emit(run, afterRun) : null;
      const character = pending.charAt(at);
      if (character === '\n') break;
      if (character !== '`') {
        at += 1;
        continue;
      }
      let end = at;
      while (pending.charAt(end) === '`') end += 1;
      if (end === pending.length && !isEnd) return null;
      if (end - at === run.length) return emit(pending.slice(index, end), end);
      at = end;
    }
    return emit(run, afterRun);
  }

  /** A group of marks with the spaces around it: `" [1][3]"`, `"[1] [2]"`. */
  function marksAt(index: number, isEnd: boolean, cited: CitationRecord[]): { text: string; end: number } | null {
    const start = afterSpaces(index);
    // Of a long run of spaces only the last few can belong to a mark.
    if (start - index > maxSpaces) return emit(pending.slice(index, start - maxSpaces), start - maxSpaces);
    if (start === pending.length && !isEnd) return null;

    const numbers: number[] = [];
    let end = start;
    let following = start;
    for (let count = 0; count < maxMarks; count += 1) {
      const mark: MarkReading = readMark(pending, following, isKnown);
      if (mark === 'partial' && !isEnd) return null;
      if (typeof mark === 'string') break;
      numbers.push(...mark.numbers);
      end = mark.end;
      following = Math.min(afterSpaces(end), end + maxSpaces);
      if (following === pending.length && !isEnd) return null;
    }
    if (end === start) return emit(pending.slice(index, Math.max(start, index + 1)), Math.max(start, index + 1));

    const spaces = pending.slice(index, start);
    const marks = [...new Set(numbers.filter(isKnown))].map((number) => `[${cite(number, cited)}]`).join('');
    if (marks !== '') {
      const group = { text: emit(spaces, start).text + marks, end };
      saidSinceMark = '';
      line = `${line}.`;
      return group;
    }
    const atBorder = following === pending.length || /[\s.,;:!?)\]}。，、]/.test(pending.charAt(following));
    const trailing = pending.slice(end, following);
    // What is left must not close up to a mark that nobody wrote: `[4[9]]`.
    if (/[[【][\d ,;–-]*$/.test(said.slice(-maxFenceInfo))) return emit(' ', following);
    const kept = atBorder ? '' : /^\s*$/.test(line) ? spaces : trailing || spaces;
    return emit(kept, following);
  }

  function afterSpaces(index: number): number {
    let end = index;
    while (pending.charAt(end) === ' ') end += 1;
    return end;
  }

  function cite(number: number, cited: CitationRecord[]): number {
    const given = citations.get(number);
    const entry = known.get(number);
    if (given !== undefined || entry === undefined) return given ?? 0;
    const { title, url, passageId } = entry.source;
    lastNumber += 1;
    const citation = { number: lastNumber, quote: entry.quote(claim()), title, url, passageId };
    citations.set(number, citation.number);
    cited.push(citation);
    return citation.number;
  }

  /** What the mark stands for: its sentence, from the mark before it on if that leaves enough words. */
  function claim(): string {
    const sinceMark = splitSentences(saidSinceMark.slice(-claimLength)).at(-1)?.text ?? '';
    if (contentStems(sinceMark).length >= 3) return sinceMark;
    return splitSentences(said.slice(-claimLength)).at(-1)?.text ?? '';
  }
}

/** Cut seldom, so that each word does not copy the whole. */
function tailOf(text: string): string {
  return text.length > 8 * claimLength ? text.slice(-claimLength) : text;
}

/** A reply without its citation marks: what a model is shown of an earlier turn, whose numbers now mean nothing. */
export function stripMarks(text: string): string {
  const rewriter = createCitationRewriter([]);
  return rewriter.push(text).text + rewriter.end().text;
}
