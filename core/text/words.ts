import { stem } from './stem.ts';

const word = /[\p{L}\p{M}\p{N}]+(?:[.'’][\p{L}\p{M}\p{N}]+)*/gu;
const cjk = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u;
const withoutContent: ReadonlySet<string> = new Set(
  (
    'a about above after again against all also am an and any are as at be because been before being below between both ' +
    'but by can cannot could did do does doing done down during each either else ever few for from further get gets give ' +
    'given gives go had has have having he her here hers him his how i if in into is it its itself just let lets like ' +
    'made make makes many may me might more most much must my no nor not now of off on once one only onto or other our ' +
    'out over own please same shall she should so some such tell than that the their them then there these they this ' +
    'those through to too under until up upon us use used uses using very was we well were what when where whether which ' +
    'while who whom whose why will with within without would yes yet you your yours'
  ).split(' '),
);

/**
 * The stems of the words that carry meaning, in order, with repetitions: lower case, stop words out, compounds in
 * parts (`rateLimit`, `rate-limit` and "rate limit" are the same), CJK runs as pairs of characters.
 */
export function contentStems(text: string): string[] {
  const stems: string[] = [];
  for (const [match] of text.replace(/(\p{Ll})(?=\p{Lu})/gu, '$1 ').matchAll(word)) {
    const lower = match.toLowerCase().replaceAll('’', "'");
    const plain = lower.replace(/'(?:s|t|re|ve|ll|d|m)$/, '');
    if (withoutContent.has(lower) || withoutContent.has(plain) || plain === '') continue;
    if (cjk.test(plain)) addPairs(plain, stems);
    else stems.push(stem(plain));
  }
  return stems;
}

function addPairs(run: string, stems: string[]): void {
  const characters = [...run];
  if (characters.length === 1) stems.push(run);
  for (let index = 1; index < characters.length; index += 1) stems.push(`${characters[index - 1]}${characters[index]}`);
}
