import fc from 'fast-check';
import { expect, test } from 'vitest';
import { normaliseText } from '../../../core/text/normalise.ts';
import { countWords, splitPassages, splitPassagesInTurns } from '../../../core/text/passages.ts';
import { cpuStopwatch } from '../../helpers/cpu-stopwatch.ts';

const sentence = (index: number) => `Sentence number ${index} says something about the matter at hand.`;
const prose = (count: number) => Array.from({ length: count }, (_, index) => sentence(index)).join(' ');
const texts = (text: string, options = {}) => splitPassages(text, options).map((passage) => passage.text);

test('splits at sentence borders, and says the last sentences again', () => {
  const passages = texts(prose(60));
  expect(passages.length).toBeGreaterThan(3);
  for (const [index, passage] of passages.entries()) {
    expect(passage).toMatch(/^Sentence number \d+ .*hand\.$/);
    expect(passage.split(' ').length).toBeLessThanOrEqual(180);
    const next = passages[index + 1];
    if (next === undefined) continue;
    const repeated = next.split('. ')[0] ?? '';
    expect(passage).toContain(repeated);
    expect(next.indexOf(passage.split('. ').at(-1) ?? '')).toBeGreaterThan(0);
  }
});

test('a heading begins a passage without overlap, and never ends one', () => {
  const text = `# One\n${prose(6)}\n\n## Two\n${prose(14)}\n\n## Three\n### Four\n${prose(14)}`;
  const passages = texts(text);
  expect(passages.map((passage) => passage.split('\n')[0])).toEqual(['# One', '## Two', '## Three']);
  for (const passage of passages) expect(passage.split('\n').at(-1)).not.toMatch(/^#/);
});

test('small sections share a passage', () => {
  expect(texts('# A\nOne.\n\n# B\nTwo.\n\n# C\nThree.')).toEqual(['# A\nOne.\n\n# B\nTwo.\n\n# C\nThree.']);
});

test('keeps the marker of a list item', () => {
  const items = Array.from({ length: 60 }, (_, index) => `- item ${index} has some words of its own`).join('\n');
  for (const passage of texts(items)) expect(passage).toMatch(/^- item/);
});

test('cuts a sentence that is too long between words, and a word that is too long between characters', () => {
  const endless = texts(Array.from({ length: 1_000 }, (_, index) => `word${index}`).join(' '));
  for (const passage of endless) expect(passage).toMatch(/^word\d+( word\d+)*$/);
  expect(endless.every((passage) => passage.split(' ').length <= 180)).toBe(true);

  const word = texts('😀'.repeat(20_000));
  expect(Math.max(...word.map((passage) => passage.length))).toBeLessThanOrEqual(2_000);
  for (const passage of word) expect(passage.isWellFormed()).toBe(true);
});

test('counts text without spaces by its characters', () => {
  expect(countWords('漢字仮名 two words')).toBe(6);
  expect(countWords('a'.repeat(31))).toBe(3);
  expect(Math.max(...texts('漢字仮名交文。'.repeat(300)).map((passage) => passage.length))).toBeLessThanOrEqual(180);
});

test('an empty text has no passages', () => {
  expect(texts('')).toEqual([]);
  expect(texts(' \n\n ')).toEqual([]);
});

const piece = fc.constantFrom(
  'Word. ',
  'word ',
  '\n',
  '\n\n',
  '# Head\n',
  '- item\n',
  '> q\n',
  '```\n',
  'a|b\n',
  '1. x\n',
  '漢字。',
  'x'.repeat(40),
  '😀',
);

const letters = (text: string) => text.match(/[\p{L}\p{N}]/gu) ?? [];

test('each passage is literally in the text and within the limits, and together they hold every word', () => {
  const limits = { maxWords: 12, overlapWords: 4, maxCharacters: 90 };
  fc.assert(
    fc.property(
      fc.array(fc.oneof(piece, fc.string({ unit: 'grapheme', maxLength: 8 })), { maxLength: 60 }),
      (pieces) => {
        const text = normaliseText(pieces.join(''));
        let end = 0;
        for (const { text: passage } of splitPassages(text, limits)) {
          expect(passage.length).toBeLessThanOrEqual(limits.maxCharacters);
          expect(passage.trim()).not.toBe('');
          // The first place after which it can stand, given what came before: overlap goes back at most one passage.
          const start = text.indexOf(passage, Math.max(0, end - limits.maxCharacters));
          expect(start).toBeGreaterThanOrEqual(0);
          end = Math.max(end, start + passage.length);
        }
        const all = splitPassages(text, limits)
          .map((passage) => passage.text)
          .join('\n');
        expect(letters(all).length).toBeGreaterThanOrEqual(letters(text).length);
        for (const letter of letters(text)) expect(all).toContain(letter);
      },
    ),
    { numRuns: 500 },
  );
});

test.each<[string, (length: number) => string]>([
  ['prose', (length) => `${prose(10)}\n\n`.repeat(length / 630)],
  ['one word', (length) => 'x'.repeat(length)],
  ['one line', (length) => prose(length / 62)],
  ['spaces', (length) => `a${' '.repeat(length)}b`],
  ['full stops', (length) => '. '.repeat(length / 2)],
  ['headings', (length) => '# a\n'.repeat(length / 4)],
  ['fences of falling length', (length) => fences(Math.sqrt(2 * length))],
])('a megabyte of %s takes time in proportion', { timeout: 20_000 }, (_, textOf) => {
  const took = (length: number) => {
    const text = textOf(length);
    return Math.min(
      ...[1, 2, 3].map(() => {
        const spentMs = cpuStopwatch();
        splitPassages(text);
        return spentMs();
      }),
    );
  };
  const short = took(250_000);
  // Quadratic would be 16 times; the constant is for a machine that does other work too.
  expect(took(1_000_000)).toBeLessThan(8 * short + 100);
});
const fences = (count: number) => Array.from({ length: count }, (_, index) => '`'.repeat(count + 3 - index)).join('\n');

test('gives the event loop its turn, and stops when aborted', async () => {
  const text = `${prose(10)}\n\n`.repeat(3_000);
  let turns = 0;
  const counting = setInterval(() => {
    turns += 1;
  }, 1);
  const passages = await splitPassagesInTurns(text);
  clearInterval(counting);
  expect(turns).toBeGreaterThan(1);
  expect(passages).toEqual(splitPassages(text));
  const reason = new Error('enough');
  await expect(splitPassagesInTurns(text, {}, AbortSignal.abort(reason))).rejects.toBe(reason);
});
