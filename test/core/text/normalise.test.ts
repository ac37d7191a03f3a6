import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assertStorable, normaliseText } from '../../../core/text/normalise.ts';
import { cpuStopwatch } from '../../helpers/cpu-stopwatch.ts';

test('normalises line ends, trailing spaces, the byte order mark and composed letters', () => {
  expect(normaliseText('\uFEFFe\u0301 \r\nb\t\rc\u2028d\fe  \n\n')).toBe('é\nb\nc\nd\ne');
  expect(normaliseText('  indented\n\n  code')).toBe('  indented\n\n  code');
});

test('applying it twice changes nothing', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const once = normaliseText(text);
      expect(normaliseText(once)).toBe(once);
    }),
  );
});

test('takes time in proportion on a long run of spaces', () => {
  const spentMs = cpuStopwatch();
  normaliseText(`a${' '.repeat(2_000_000)}b`);
  expect(spentMs()).toBeLessThan(500);
});

test.each([
  ['a\u0000b', 'NUL', 1],
  ['ab\ud83d', 'surrogate', 2],
  ['\ude00a', 'surrogate', 0],
  ['😀\ud83dx', 'surrogate', 2],
])('refuses %j with the field and the position', (text, what, position) => {
  expect(() => assertStorable(text, 'documents[0].text')).toThrow(
    expect.objectContaining({
      code: 'BAD_INPUT',
      message: expect.stringMatching(new RegExp(`^documents\\[0\\]\\.text .*${what}.*position ${position}$`)),
    }),
  );
});

test('lets all other text pass', () => {
  expect(() => assertStorable('😀 é \u0001 ￿', 'text')).not.toThrow();
});
