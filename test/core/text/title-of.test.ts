import fc from 'fast-check';
import { expect, test } from 'vitest';
import { titleOf } from '../../../core/text/title-of.ts';

test.each([
  ['How do I reset my password?', 'How do I reset my password?'],
  ['\n\n  ## Plan   for\tMonday\nand more', 'Plan for Monday'],
  ['- buy milk', 'buy milk'],
  ['   \n ', null],
])('of %j is %j', (message, title) => {
  expect(titleOf(message)).toBe(title);
});

test('cuts between words and shows it', () => {
  const title = titleOf('word, '.repeat(50)) ?? '';
  expect(title).toMatch(/^(word, )*word…$/);
  expect(title.length).toBeLessThanOrEqual(80);
  expect(title.length).toBeGreaterThan(70);
});

test('is at most 80 characters, well formed, on one line, whatever is said', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (message) => {
      const title = titleOf(message);
      if (title === null) return;
      expect(title.length).toBeLessThanOrEqual(80);
      expect(title).not.toMatch(/\n/);
      expect(title.isWellFormed()).toBe(true);
    }),
  );
  expect(titleOf('👩‍👩‍👧‍👦'.repeat(100))).toMatch(/^(👩‍👩‍👧‍👦)+…$/u);
});
