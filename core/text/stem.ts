/**
 * M. F. Porter, "An algorithm for suffix stripping", Program 14(3), 1980, with the author's two later departures
 * (bli → ble, logi → log). Words that are not plain English letters come back as they are.
 */
export function stem(word: string): string {
  if (word.length < 3 || word.length > 40 || !/^[a-z]+$/.test(word)) return word;
  // A leading y is a consonant: marked by a capital, which no vowel pattern matches.
  const marked = word.startsWith('y') ? `Y${word.slice(1)}` : word;
  return finalE(longSuffix(doubleSuffix(pastAndGerund(plural(marked))))).toLowerCase();
}

const consonants = '[^aeiou][^aeiouy]*';
const vowels = '[aeiouy][aeiou]*';
/** Porter's measure m: how many vowel–consonant pairs a stem has. */
const measureAbove0 = new RegExp(`^(?:${consonants})?${vowels}${consonants}`);
const measureIs1 = new RegExp(`^(?:${consonants})?${vowels}${consonants}(?:${vowels})?$`);
const measureAbove1 = new RegExp(`^(?:${consonants})?${vowels}${consonants}${vowels}${consonants}`);
const hasVowel = new RegExp(`^(?:${consonants})?[aeiouy]`);
/** A short syllable at the end, as in "hop", "fil": it had an e, or doubles its consonant. */
const endsShort = new RegExp(`^${consonants}[aeiouy][^aeiouwxy]$`);

function plural(word: string): string {
  if (/(?:ss|i)es$/.test(word)) return word.slice(0, -2);
  return /[^s]s$/.test(word) ? word.slice(0, -1) : word;
}

function pastAndGerund(word: string): string {
  let result = word;
  if (word.endsWith('eed')) {
    if (measureAbove0.test(word.slice(0, -3))) result = word.slice(0, -1);
  } else {
    const base = word.replace(/(?:ed|ing)$/, '');
    if (base !== word && hasVowel.test(base)) {
      if (/(?:at|bl|iz)$/.test(base) || endsShort.test(base)) result = `${base}e`;
      else result = /([^aeiouylsz])\1$/.test(base) ? base.slice(0, -1) : base;
    }
  }
  return result.endsWith('y') && hasVowel.test(result.slice(0, -1)) ? `${result.slice(0, -1)}i` : result;
}

/** Steps 2 and 3: what a suffix becomes. */
const suffixSteps = [
  'ational>ate tional>tion enci>ence anci>ance izer>ize bli>ble alli>al entli>ent eli>e ousli>ous ization>ize ation>ate ' +
    'ator>ate alism>al iveness>ive fulness>ful ousness>ous aliti>al iviti>ive biliti>ble logi>log',
  'icate>ic ative> alize>al iciti>ic ical>ic ful> ness>',
].map((rules) => {
  const shorter = new Map(rules.split(' ').map((rule) => rule.split('>') as [string, string])); // each rule has one >
  return { shorter, pattern: new RegExp(`(?:${[...shorter.keys()].join('|')})$`) };
});

function doubleSuffix(word: string): string {
  return suffixSteps.reduce((current, { shorter, pattern }) => {
    const suffix = pattern.exec(current)?.[0];
    if (suffix === undefined) return current;
    const base = current.slice(0, -suffix.length);
    return measureAbove0.test(base) ? base + (shorter.get(suffix) ?? '') : current;
  }, word);
}

const step4 = /(?:al|ance|ence|er|ic|able|ible|ant|ement|ment|ent|ou|ism|ate|iti|ous|ive|ize)$/;

function longSuffix(word: string): string {
  const suffix = step4.exec(word)?.[0] ?? /(?<=[st])ion$/.exec(word)?.[0];
  if (suffix === undefined) return word;
  const base = word.slice(0, -suffix.length);
  return measureAbove1.test(base) ? base : word;
}

function finalE(word: string): string {
  let result = word;
  if (word.endsWith('e')) {
    const base = word.slice(0, -1);
    if (measureAbove1.test(base) || (measureIs1.test(base) && !endsShort.test(base))) result = base;
  }
  return result.endsWith('ll') && measureAbove1.test(result) ? result.slice(0, -1) : result;
}
