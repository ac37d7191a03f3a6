import { describe, expect, it } from 'vitest';
import { highlighter } from '../../../core/search/highlights.ts';
import { cpuStopwatch } from '../../helpers/cpu-stopwatch.ts';

const of = (query: string, text: string): string[] => highlighter(query)(text);
const words = (count: number, name = 'word'): string =>
  Array.from({ length: count }, (_, n) => `${name}${n}`).join(' ');

describe('highlights', () => {
  it('mark the words of the query in any of their forms, and escape everything else', () => {
    const text = `<script>alert("x")</script> & List<String> isn't a fish, but fishes are <mark>here</mark>`;
    const [fragment = '', ...others] = of('fish strings', text);
    expect(others).toEqual([]);
    expect(fragment).toBe(
      '&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; List&lt;<mark>String</mark>&gt; isn&#39;t a <mark>fish</mark>, ' +
        'but <mark>fishes</mark> are &lt;mark&gt;here&lt;/mark&gt;',
    );
  });

  it('are none without a word of the query, and words that every text has are not of it', () => {
    expect(of('quasar', 'The owl sleeps by day.')).toEqual([]);
    expect(of('the of and', 'The owl sleeps by day and by night.')).toEqual([]);
    expect(of('', 'The owl')).toEqual([]);
    expect(of('owl', '')).toEqual([]);
  });

  it('mark compounds in their parts, and a number whole', () => {
    expect(of('rate-limit', 'The rate_limit is 1.5 a second, not 15.')).toEqual([
      'The <mark>rate</mark>_<mark>limit</mark> is 1.5 a second, not 15.',
    ]);
    expect(of('1.5', 'The limit is 1.5 a second, not 1 or 5.')).toEqual([
      'The limit is <mark>1.5</mark> a second, not 1 or 5.',
    ]);
  });

  it('mark words of other scripts as they are', () => {
    expect(of('ÜBER größe', 'Über die Größe.')).toEqual(['<mark>Über</mark> die <mark>Größe</mark>.']);
  });

  it('are at most three fragments of 30 words, in the order of the text, the densest first chosen', () => {
    const text = `${words(50, 'a')} owl ${words(50, 'b')} owl ${words(50, 'c')} owl hunts ${words(50, 'd')} owl night. ${words(50, 'e')}`;
    const fragments = of('owl hunts night', text);
    expect(fragments).toHaveLength(3);
    for (const fragment of fragments) expect(fragment.split(' ')).toHaveLength(30);
    expect(fragments.map((fragment) => fragment.match(/<mark>\w+<\/mark>/g)?.join(' '))).toEqual([
      '<mark>owl</mark>',
      '<mark>owl</mark> <mark>hunts</mark>',
      '<mark>owl</mark> <mark>night</mark>',
    ]);
    expect(fragments[0]).toMatch(/^a36 .* a49 <mark>owl<\/mark> b0 .* b14$/);
  });

  it('never show a word twice, and show a short text whole', () => {
    const dense = Array.from({ length: 60 }, (_, n) => `owl${n % 2 ? '' : 's'} n${n}`).join(' ');
    const fragments = of('owl', dense);
    expect(fragments).toHaveLength(3);
    const shown = fragments.flatMap((fragment) => fragment.match(/n\d+/g) ?? []);
    expect(new Set(shown).size).toBe(shown.length);
    expect(of('end', `(${words(20)} end)!`)).toEqual([`(${words(20)} <mark>end</mark>)!`]);
  });

  it('takes a passage of one huge word, or of many marks, in its stride', () => {
    const spentMs = cpuStopwatch();
    of('owl', 'a'.repeat(1_000_000));
    of('owl', 'owl '.repeat(20_000));
    expect(spentMs()).toBeLessThan(5_000);
  });
});
