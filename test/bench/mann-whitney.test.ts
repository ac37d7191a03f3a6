import { expect, test } from 'vitest';
import { mannWhitney } from '../../bench/cache-timing/mann-whitney.ts';

const upTo = (count: number, shift = 0) => Array.from({ length: count }, (_, index) => index + shift);

test('samples that are alike have a large p, samples that differ a small one, whichever is larger', () => {
  expect(mannWhitney(upTo(100), upTo(100))).toBeCloseTo(1, 5);
  expect(mannWhitney(upTo(100), upTo(100, 50))).toBeLessThan(1e-6);
  expect(mannWhitney(upTo(100, 50), upTo(100))).toBeLessThan(1e-6);
  expect(mannWhitney([1, 1, 1], [1, 1, 1])).toBe(1);
});

test('gives the textbook’s p: 19 22 16 29 24 against 20 11 17 12 has U 17', () => {
  // z = (17 − 10) / √(20·10/12) = 1.7146, two-sided, without the correction for continuity.
  expect(mannWhitney([19, 22, 16, 29, 24], [20, 11, 17, 12])).toBeCloseTo(0.0864, 3);
});
