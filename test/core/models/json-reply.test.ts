import { expect, it } from 'vitest';
import { parseJsonReply } from '../../../core/models/json-reply.ts';
import { cpuStopwatch } from '../../helpers/cpu-stopwatch.ts';

it.each([
  ['{"a": 1}', { a: 1 }],
  ['  [1]\n', [1]],
  ['null', null],
  ['```json\n{"a": 1}\n```', { a: 1 }],
  ['```\n{"a": "```"}\n```\n', { a: '```' }],
  ['Sure! {"a": 1}', undefined],
  ['```json {"a": 1}```', undefined],
  ['```', undefined],
  ['', undefined],
])('reads %j', (text, value) => {
  expect(parseJsonReply(text)).toEqual(value);
});

it('takes no longer for many fences', () => {
  const spentMs = cpuStopwatch();
  expect(parseJsonReply(`\`\`\`\n${'``` '.repeat(200_000)}x`)).toBeUndefined();
  expect(spentMs()).toBeLessThan(200);
});
