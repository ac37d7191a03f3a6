import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wordPlaces } from '../../../core/search/word-places.ts';

const word = /\p{N}+(?:\.\p{N}+)+|[\p{L}\p{M}\p{N}]+/gu;

describe('the places of words', () => {
  it('are those that the regular expression finds, in any text', () => {
    const pieces = fc.constantFrom(
      'a',
      'Z',
      '1',
      '23',
      '.',
      ' ',
      '’',
      'é',
      'e\u0301',
      '漢',
      '٣',
      '½',
      '𝒜',
      '𝟙',
      '\ud800',
      '_',
    );
    const texts = fc.oneof(
      fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join('')),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const matches = Array.from(text.matchAll(word));
        expect(wordPlaces(text)).toEqual({
          starts: matches.map(({ index }) => index),
          ends: matches.map(({ index, 0: match }) => index + match.length),
        });
      }),
      { numRuns: 2_000 },
    );
  });
});
