import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../adapters/postgres/database.ts';
import { filterCondition } from '../../../adapters/postgres/metadata-filter.ts';
import type { Filter, Json } from '../../../core/contracts/filter.ts';
import { openTestDatabase } from '../../helpers/test-database.ts';

let database: Database & AsyncDisposable;
beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

/** Whether the metadata passes; null would be neither, which must never come. */
async function passes(metadata: Json, filter: Filter): Promise<boolean | null> {
  const condition = filterCondition(filter, sql`document.metadata`);
  const [row] = await database.query<{ passes: boolean | null }>(
    'filter',
    sql`select ${condition} as passes from (select ${JSON.stringify(metadata)}::jsonb as metadata) document`,
  );
  return row?.passes ?? null;
}

const equals = (path: string, value: Json): Filter => ({ op: 'equals', path, value });
const within = (path: string, ...values: Json[]): Filter => ({ op: 'in', path, values });
const above = (path: string, value: string | number): Filter => ({ op: 'greaterThan', path, value });
const below = (path: string, value: string | number): Filter => ({ op: 'lessThan', path, value });
const exists = (path: string, present = true): Filter => ({ op: 'exists', path, exists: present });
const not = (filter: Filter): Filter => ({ op: 'not', filter });
const all = (...filters: Filter[]): Filter => ({ op: 'all', filters });
const any = (...filters: Filter[]): Filter => ({ op: 'any', filters });

const metadata = {
  lang: 'en',
  year: 2024,
  ratio: 0.1,
  zero: 0,
  draft: false,
  none: null,
  tags: ['a', 'b'],
  author: { name: 'Ann', 'first.name': 'A' },
  'a.b': 'dotted',
  a: { b: 'nested', c: 'inner' },
  '': 'empty name',
};

describe('a metadata filter', () => {
  it.each<[string, Filter, boolean]>([
    ['equals a string', equals('lang', 'en'), true],
    ['equals another string', equals('lang', 'de'), false],
    ['equals a number', equals('year', 2024), true],
    ['equals a number written otherwise', equals('year', 2.024e3), true],
    ['equals a number, not its text', equals('year', '2024'), false],
    ['equals a decimal exactly', equals('ratio', 0.1), true],
    ['equals a boolean', equals('draft', false), true],
    ['equals zero, not false', equals('zero', false), false],
    ['equals null where null is', equals('none', null), true],
    ['equals null, not an absent field', equals('absent', null), false],
    ['equals a list', equals('tags', ['a', 'b']), true],
    ['equals a list in its order', equals('tags', ['b', 'a']), false],
    ['equals an object', equals('author', { 'first.name': 'A', name: 'Ann' }), true],
    ['equals by a path', equals('author.name', 'Ann'), true],
    ['equals by a path into a list', equals('tags.1', 'b'), true],
    ['prefers a name with dots to a path', equals('a.b', 'dotted'), true],
    ['takes the path where no such name is', equals('a.c', 'inner'), true],
    ['equals under an empty name', equals('', 'empty name'), true],
    ['in with a match', within('lang', 'de', 'en'), true],
    ['in without a match', within('lang', 'de', 'fr'), false],
    ['in of several types', within('year', '2024', null, 2024), true],
    ['in of nothing', within('lang'), false],
    ['in with text that an array literal could end at', within('lang', '"},{', 'NULL', 'en'), true],
    ['in with NULL as text', within('lang', 'NULL', 'null'), false],
    ['greater than a number', above('year', 2023), true],
    ['greater than itself', above('year', 2024), false],
    ['greater than a very large number', above('year', 1e300), false],
    ['less than a number', below('year', 2024.5), true],
    ['a number against a string', above('year', '1'), false],
    ['a string against a number', above('lang', 0), false],
    ['greater than a string', above('lang', 'eN'), true],
    ['strings by code point: upper case first', below('lang', 'f'), true],
    ['strings by code point: Z before e', above('lang', 'Z'), true],
    ['comparison with null', above('none', 0), false],
    ['comparison with a list', above('tags', 'a'), false],
    ['exists', exists('lang'), true],
    ['exists of null', exists('none'), true],
    ['exists by a path', exists('author.name'), true],
    ['exists of what is absent', exists('absent'), false],
    ['does not exist', exists('absent', false), true],
    ['does not exist, of what is there', exists('none', false), false],
    ['all', all(equals('lang', 'en'), above('year', 2000)), true],
    ['all with one that fails', all(equals('lang', 'en'), above('year', 3000)), false],
    ['all of nothing', all(), true],
    ['any', any(equals('lang', 'de'), above('year', 2000)), true],
    ['any where none holds', any(equals('lang', 'de'), above('year', 3000)), false],
    ['any of nothing', any(), false],
    ['any inside all binds as written', all(any(equals('lang', 'en'), equals('lang', 'de')), exists('absent')), false],
    ['deep nesting', not(all(not(any(not(not(equals('lang', 'en'))))), not(exists('absent', false)))), true],
  ])('%s', async (_, filter, expected) => {
    expect(await passes(metadata, filter)).toBe(expected);
    // Two values only: what is not true is false, so its negation is true.
    expect(await passes(metadata, not(filter))).toBe(!expected);
  });

  it.each<[string, Filter]>([
    ['equals', equals('absent', 1)],
    ['in', within('absent', 1)],
    ['greaterThan', above('absent', 1)],
    ['lessThan', below('absent', 'x')],
    ['equals by a path through a scalar', equals('lang.deep.er', 1)],
  ])('does not match an absent field, and its negation does: %s', async (_, filter) => {
    expect(await passes(metadata, filter)).toBe(false);
    expect(await passes(metadata, not(filter))).toBe(true);
  });

  it.each([
    `x'; drop table documents; --`,
    `x") or true --`,
    '$1',
    '{a,b}',
    '%s',
    '\\',
    "\\'",
    '🙂',
    'a"b',
    '..',
    '.',
    '-1',
  ])('takes the hostile name and value %j as they are', async (text) => {
    expect(await passes({ [text]: text }, equals(text, text))).toBe(true);
    expect(await passes({ other: text }, equals(text, text))).toBe(false);
    expect(await passes({ [text]: text }, within(text, text))).toBe(true);
    expect(await passes({ [text]: text }, above(text, text))).toBe(false);
    expect(await passes({ [text]: `${text}z` }, above(text, text))).toBe(true);
    expect(await passes({ [text]: text }, exists(text))).toBe(true);
  });
});
