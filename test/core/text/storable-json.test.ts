import { expect, it } from 'vitest';
import { assertStorableJson } from '../../../core/text/storable-json.ts';

const bounds = { maxChars: 100, maxDepth: 3 };

it.each([[{ a: [{ b: 'C:\\u0000' }] }], ['text'], [null], [[1, true]], [{ '\\ud800': '😀' }]])('takes %j', (value) => {
  expect(() => assertStorableJson(value, 'value', bounds)).not.toThrow();
});

it.each([
  [{ a: ['x', '\u0000'] }, /^value\.a\[1\] .*NUL/],
  [{ a: { b: 'x\ud800' } }, /^value\.a\.b .*surrogate.*position 1/],
  [{ 'a\u0000': 1 }, /^a name in value .*NUL/],
  [{ a: 'x'.repeat(100) }, /^value must be at most 100 characters of JSON, got 108/],
  [[[[[]]]], /^value must be at most 3 levels deep/],
])('refuses %j', (value, message) => {
  expect(() => assertStorableJson(value, 'value', bounds)).toThrow(message);
});
