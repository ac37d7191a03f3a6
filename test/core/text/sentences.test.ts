import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitSentences } from '../../../core/text/sentences.ts';

const texts = (text: string) => splitSentences(text).map((sentence) => sentence.text);

test.each([
  ['He paid 3.5 USD. She paid nothing.', ['He paid 3.5 USD.', 'She paid nothing.']],
  ['Mr. Smith met Dr. No. They talked.', ['Mr. Smith met Dr. No.', 'They talked.']],
  ['Use a queue, e.g. Redis, i.e. the fast one. Done!', ['Use a queue, e.g. Redis, i.e. the fast one.', 'Done!']],
  ['Upgrade to v1.2 of file.txt. Restart.', ['Upgrade to v1.2 of file.txt.', 'Restart.']],
  ['Node.js 24.1 runs it. npm.js does not.', ['Node.js 24.1 runs it.', 'npm.js does not.']],
  ['Run it. `stop()` ends it.', ['Run it.', '`stop()` ends it.']],
  ['See Fig. 3 and No. 5. The answer is no. Go on.', ['See Fig. 3 and No. 5.', 'The answer is no.', 'Go on.']],
  [
    'J. R. Smith lives in the U.S. The U.S. Army does too.',
    ['J. R. Smith lives in the U.S.', 'The U.S. Army does too.'],
  ],
  ['Books, films etc. are here. Come in.', ['Books, films etc. are here.', 'Come in.']],
  ['"Really?" he asked. "Yes!" she said.', ['"Really?" he asked.', '"Yes!" she said.']],
  ['It is so [1]. As shown.[2] Next one.', ['It is so [1].', 'As shown.[2]', 'Next one.']],
  ['Wait… what? It costs 5. 3 are left.', ['Wait… what?', 'It costs 5.', '3 are left.']],
  ['它很好。你好吗？是的！', ['它很好。', '你好吗？', '是的！']],
  ['Das gilt z.B. Montags. Danach nicht.', ['Das gilt z.B. Montags.', 'Danach nicht.']],
])('splits %j', (text, expected) => {
  expect(texts(text)).toEqual(expected);
});

test('joins wrapped lines and parts headings, items, quotes, tables and code', () => {
  const text = [
    '# A title with v1.2',
    'A paragraph that is wrapped at some width, as they',
    'often are. And a second sentence.',
    '',
    'Underlined',
    '==========',
    '- first item. With two.',
    '- [ ] second item',
    '  goes on',
    '1. numbered',
    '',
    '> quoted text',
    '> goes on.',
    '',
    'a | b',
    '--|--',
    'c | d. E',
    '',
    '```ts',
    'const a = 1. B',
    '```',
    'After.',
  ].join('\n');
  expect(splitSentences(text).map(({ kind, text: said }) => [kind, said])).toEqual([
    ['heading', 'A title with v1.2'],
    ['paragraph', 'A paragraph that is wrapped at some width, as they\noften are.'],
    ['paragraph', 'And a second sentence.'],
    ['heading', 'Underlined'],
    ['listItem', 'first item.'],
    ['listItem', 'With two.'],
    ['listItem', 'second item\n  goes on'],
    ['listItem', 'numbered'],
    ['quote', 'quoted text\n> goes on.'],
    ['table', 'a | b'],
    ['table', '--|--'],
    ['table', 'c | d. E'],
    ['code', '```ts'],
    ['code', 'const a = 1. B'],
    ['code', '```'],
    ['paragraph', 'After.'],
  ]);
});

test('a fence that names a language and is not closed is code to the end', () => {
  expect(splitSentences('Text.\n```sh\nrm a. Rm b.').map(({ kind }) => kind)).toEqual(['paragraph', 'code', 'code']);
});

test('a bare fence that nothing closes is the tail of one in an earlier passage', () => {
  expect(splitSentences('```\nText after it.').map(({ kind }) => kind)).toEqual(['code', 'paragraph']);
});

const piece = fc.constantFrom(
  'A b. ',
  'e.g. ',
  '\n',
  '\n\n',
  '# ',
  '- ',
  '> ',
  '```',
  '| ',
  '1. ',
  '…',
  'v1.2',
  '。',
  '  ',
  '"?',
  '[1]',
  'x',
);

test('every sentence is literally in the text, in order, and together they hold every word', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string({ unit: 'grapheme', maxLength: 5 }))), (pieces) => {
      const text = pieces.join('');
      let end = 0;
      let missed = '';
      for (const sentence of splitSentences(text)) {
        expect(sentence.text).toBe(text.slice(sentence.start, sentence.end));
        expect(sentence.lead).toBeGreaterThanOrEqual(end);
        expect(sentence.start).toBeGreaterThanOrEqual(sentence.lead);
        missed += text.slice(end, sentence.lead);
        end = sentence.end;
      }
      expect(missed + text.slice(end)).not.toMatch(/[\p{L}\p{N}]/u);
    }),
    { numRuns: 500 },
  );
});
