import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type CitableSource, createCitationRewriter, stripMarks } from '../../../core/text/citations.ts';
import { cpuStopwatch } from '../../helpers/cpu-stopwatch.ts';

const sources: readonly CitableSource[] = [
  'Invoices are due within 30 days. Two reminders are sent.',
  'The moon orbits the earth. It has no air.',
  'Redis keeps the buckets. A restart changes nothing.',
  'Bread needs salt. The oven is hot.',
].map((text, index) => ({ number: index + 1, text, title: `T${index + 1}`, url: null, passageId: `p${index + 1}` }));

function rewrite(deltas: readonly string[], from = sources) {
  const rewriter = createCitationRewriter(from);
  const parts = [...deltas.map((delta) => rewriter.push(delta)), rewriter.end()];
  return { text: parts.map(({ text }) => text).join(''), citations: parts.flatMap(({ cited }) => cited) };
}

test.each([
  ['numbers densely by first use', 'A [3]. B [1]. C [3].', 'A [1]. B [2]. C [1].', [3, 1]],
  [
    'reads lists, groups, ranges and CJK brackets',
    'A [1, 3][2] b【4】 c [2-3] d【1†title】.',
    'A [1][2][3] b[4] c [3][2] d[1].',
    [1, 3, 2, 4],
  ],
  ['drops unknown sources and their space', 'A [9]. B [1, 9]. C [9] d. [7] E', 'A. B [1]. C d. E', [1]],
  ['drops an unknown source at the beginning', '[9] Then [1]', 'Then [1]', [1]],
  ['does not make a mark by dropping one', 'A [4[9]] and [4 [0]]', 'A [4 ] and [4 ]', []],
  ['says a source once in a group', 'A [1] [1][1]!', 'A [1]!', [1]],
  [
    'leaves other brackets alone',
    '[see below] [link](url) [ ] [x] a[b] [0, 1] [2024-2025] 【注】 [^1] [1a] [',
    '[see below] [link](url) [ ] [x] a[b] [0, 1] [2024-2025] 【注】 [^1] [1a] [',
    [],
  ],
  ['leaves inline code alone', 'Use `a[1]` and ``b`[2]`` [2].', 'Use `a[1]` and ``b`[2]`` [1].', [2]],
  ['takes a lone backtick for text', 'A ` b [2]\nc [3]', 'A ` b [1]\nc [2]', [2, 3]],
  [
    'leaves fences alone',
    'A [2]\n```js\na[1]\n``\n[3]\n```\nB [3]\n~~~\n[1]\n~~~\n- ```\n  [1]\n  ```\nC [1]',
    'A [1]\n```js\na[1]\n``\n[3]\n```\nB [2]\n~~~\n[1]\n~~~\n- ```\n  [1]\n  ```\nC [3]',
    [2, 3, 1],
  ],
  ['an open fence goes to the end', 'A [1]\n```\n[2] [9]', 'A [1]\n```\n[2] [9]', [1]],
  ['three backticks in a line are inline code', '```a[1]``` b [2]', '```a[1]``` b [1]', [2]],
])('%s', (_, text, expected, cited) => {
  const result = rewrite([text]);
  expect(result.text).toBe(expected);
  expect(result.citations.map(({ passageId }) => Number(passageId.slice(1)))).toEqual(cited);
  expect(result.citations.map(({ number }) => number)).toEqual(cited.map((_, index) => index + 1));
});

test('quotes the sentence that supports what was said before the mark', () => {
  const { citations } = rewrite(['There are two reminders [1]. Air is missing there [2], and salt is in bread [4].']);
  expect(citations.map(({ quote }) => quote)).toEqual([
    'Two reminders are sent.',
    'It has no air.',
    'Bread needs salt.',
  ]);
});

test('quotes at most 300 characters of a long sentence, around what was said', () => {
  const text = `${'filler words come first '.repeat(40)}then the capital is Reykjavik ${'and more words follow '.repeat(40)}`;
  const { citations } = rewrite(
    ['The capital is Reykjavik [1].'],
    [{ number: 1, text, title: null, url: null, passageId: 'p' }],
  );
  const quote = citations[0]?.quote ?? '';
  expect(quote.length).toBeLessThanOrEqual(300);
  expect(quote).toContain('capital is Reykjavik');
  expect(text).toContain(quote);
});

test('passes on at once what is decided, and holds back what is not', () => {
  const rewriter = createCitationRewriter(sources);
  expect(rewriter.push('Hello').text).toBe('Hello');
  expect(rewriter.push(' [').text).toBe('');
  expect(rewriter.push('2').text).toBe('');
  expect(rewriter.push(']').text).toBe('');
  const rest = rewriter.push('. Bye');
  expect(rest.text).toBe(' [1]. Bye');
  expect(rest.cited.map(({ passageId }) => passageId)).toEqual(['p2']);
  expect(rewriter.push(' [1').text).toBe('');
  expect(rewriter.end().text).toBe(' [1');
});

const piece = fc.constantFrom(
  'Word',
  ' ',
  '.',
  '\n',
  '[1]',
  '[2]',
  ' [3]',
  '[4',
  ']',
  '[',
  '[9]',
  '[1, 2]',
  '[3;9]',
  '[1-3]',
  '【2】',
  '【1†a】',
  '【',
  '`',
  '``',
  '```',
  '```js\n',
  '~~~',
  '- ',
  '> ',
  '[x]',
  '[ ]',
  '[a](b)',
  '[0]',
  '[0, 1]',
  '                  ',
  'The moon has no air ',
  '😀',
);
const text = fc.array(
  fc.oneof({ weight: 5, arbitrary: piece }, { weight: 1, arbitrary: fc.string({ maxLength: 5 }) }),
  { maxLength: 60 },
);

test('any way to cut a text gives what the whole text gives', () => {
  fc.assert(
    fc.property(text, fc.array(fc.integer({ min: 1, max: 9 })), (pieces, lengths) => {
      const whole = pieces.join('');
      const deltas: string[] = [];
      for (let start = 0, index = 0; start < whole.length; index += 1) {
        const length = lengths[index % lengths.length] ?? 1;
        deltas.push(whole.slice(start, start + length));
        start += length;
      }
      expect(rewrite(deltas)).toEqual(rewrite([whole]));
    }),
    { numRuns: 2_000 },
  );
});

test('outside code the marks are exactly those of the citations, and quotes are literal', () => {
  const withoutCode = text.map((pieces) => pieces.filter((one) => !/[`~]/.test(one)).join(''));
  fc.assert(
    fc.property(withoutCode, (whole) => {
      const { text: output, citations } = rewrite([whole]);
      const first = [...new Set([...output.matchAll(/\[(\d+)\]/g)].map((mark) => Number(mark[1])))];
      expect(first).toEqual(citations.map((_, index) => index + 1));
      for (const { number, quote, passageId } of citations) {
        expect(citations[number - 1]?.number).toBe(number);
        expect(quote).not.toBe('');
        expect(sources.find((source) => source.passageId === passageId)?.text).toContain(quote);
      }
    }),
    { numRuns: 2_000 },
  );
});

test('strips the marks of an earlier reply, and nothing else', () => {
  expect(stripMarks('A [1]. B[2][3], `c[1]` [see d] [12].')).toBe('A. B, `c[1]` [see d].');
});

test('takes time in proportion when a long text comes letter by letter', () => {
  const rewriter = createCitationRewriter(sources);
  const spentMs = cpuStopwatch();
  for (const letter of `${'[1]'.repeat(5_000)}${' '.repeat(20_000)}${'a `b '.repeat(5_000)}`) rewriter.push(letter);
  rewriter.end();
  expect(spentMs()).toBeLessThan(3_000);
});
