/** What stands at a place of a text that is still arriving. `partial`: more text is needed to tell. */
export type MarkReading = { readonly numbers: readonly number[]; readonly end: number } | 'none' | 'partial';

const maxAsciiMark = 64;
const maxCjkMark = 100;
const maxRange = 50;
const list = /^ *\d{1,9}(?: *[,;–-] *\d{1,9})* *$/;

/**
 * Reads one citation mark at `start`: `[1]`, `[1, 3]`, `[2-4]`, `【1】`, `【1†title】`. Other brackets — `[see below]`,
 * `[x]`, an interval from 0, a range of which `isKnown` knows nothing (`[2024-2025]`) — are none.
 */
export function readMark(text: string, start: number, isKnown: (number: number) => boolean): MarkReading {
  const opening = text.charAt(start);
  if (opening === '[') return readAsciiMark(text, start, isKnown);
  return opening === '【' ? readCjkMark(text, start, isKnown) : 'none';
}

function readAsciiMark(text: string, start: number, isKnown: (number: number) => boolean): MarkReading {
  for (let index = start + 1; index <= start + maxAsciiMark; index += 1) {
    if (index >= text.length) return 'partial';
    const character = text.charAt(index);
    if (character === ']') return numbersOf(text.slice(start + 1, index), index + 1, isKnown);
    if (!/[\d ,;–-]/.test(character)) return 'none';
  }
  return 'none';
}

function readCjkMark(text: string, start: number, isKnown: (number: number) => boolean): MarkReading {
  let digitsSeen = false;
  let inTitle = false;
  for (let index = start + 1; index <= start + maxCjkMark; index += 1) {
    if (index >= text.length) return 'partial';
    const character = text.charAt(index);
    if (character === '\n') return 'none';
    if (character === '】') {
      return numbersOf(text.slice(start + 1, index).split('†', 1)[0] ?? '', index + 1, isKnown);
    }
    if (character === '†') {
      if (!digitsSeen) return 'none';
      inTitle = true;
    } else if (!inTitle && !/[\d ,;–-]/.test(character)) return 'none';
    digitsSeen ||= /\d/.test(character);
  }
  return 'none';
}

function numbersOf(inside: string, end: number, isKnown: (number: number) => boolean): MarkReading {
  if (!list.test(inside)) return 'none';
  const numbers = inside.split(/[,;]/).flatMap((part) => rangeOf(part));
  const isPlain = /^ *\d+ *$/.test(inside);
  // `[0, 1]` is an interval and `[2024-2025]` a span of years; a plain `[7]` is always meant as a mark.
  if (!isPlain && (numbers.includes(0) || (/[–-]/.test(inside) && !numbers.some(isKnown)))) return 'none';
  return { numbers, end };
}

function rangeOf(part: string): readonly number[] {
  const ends = part.split(/[–-]/).map(Number);
  const [from = 0, to = from] = ends;
  if (ends.length !== 2 || to < from || to - from > maxRange) return ends;
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
