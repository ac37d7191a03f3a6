import { countTokens as reference } from 'gpt-tokenizer/encoding/o200k_base';
import { expect, test } from 'vitest';
import { countTokens } from '../../../core/text/tokens.ts';
import { cpuStopwatch } from '../../helpers/cpu-stopwatch.ts';

const prose = 'The gateway batches, queues at limits, retries — and counts what it cost (in tokens, and in US$). ';

test('is exact for ordinary text', () => {
  for (const text of ['', 'hello world', prose.repeat(100), '漢字仮名交じり文', 'const a = { b: [1, 2] };']) {
    expect(countTokens(text)).toBe(reference(text));
  }
});

test.each([
  ['letters of many scripts', (random: number) => String.fromCodePoint(Math.floor(random * 0xd7ff))],
  ['emoji', (random: number) => String.fromCodePoint(0x1f300 + Math.floor(random * 600))],
  ['signs', (random: number) => String.fromCodePoint(0x20 + Math.floor(random * 95))],
  ['spaces and ends of lines', (random: number) => ' \n\t\r'.charAt(random * 4)],
  ['words that nobody has', (random: number) => 'aeiouéèß'.charAt(random * 8)],
])('is exact for %s at random', (_, character) => {
  const random = numbers();
  for (let round = 0; round < 50; round += 1) {
    const text = Array.from({ length: 1 + 3 * round }, () => character(random())).join('');
    expect(countTokens(text), JSON.stringify(text)).toBe(reference(text, { disallowedSpecial: new Set() }));
  }
});

test('takes half a character for the sign that stands for none', () => {
  for (const text of ['\ud800 lone', 'a\udc00b', 'x\ud83dy']) expect(countTokens(text)).toBe(reference(text));
});

test('counts what reads like a control token as text', () => {
  expect(countTokens('<|endoftext|>')).toBeGreaterThan(1);
});

test('stays near the exact count on long text', () => {
  const text = Array.from({ length: 4_000 }, (_, index) => `${index % 7} ${prose.slice(index % 50)}`).join('');
  expect(countTokens(text) / reference(text)).toBeGreaterThan(0.97);
  expect(countTokens(text) / reference(text)).toBeLessThan(1.03);
});

test.each([
  ['a megabyte of one letter', 'a'.repeat(1_000_000)],
  [
    '20,000 letters without a space',
    Array.from({ length: 20_000 }, (_, index) => 'etaoinshrdlu'[(index * index) % 12]).join(''),
  ],
  ['a megabyte of spaces', ' '.repeat(1_000_000)],
])('counts %s in bounded time', (_, text) => {
  const spentMs = cpuStopwatch();
  expect(countTokens(text)).toBeGreaterThan(100);
  expect(spentMs()).toBeLessThan(500);
});

/** From 0 to 1, the same ones each time. */
function numbers(): () => number {
  let state = 1;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}
