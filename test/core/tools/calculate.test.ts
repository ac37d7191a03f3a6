import { expect, it } from 'vitest';
import { calculate } from '../../../core/tools/builtin/calculate.ts';
import { toolIo } from './rig.ts';

const result = async (expression: string) => (await calculate.call({ expression }, toolIo())).value;

it.each([
  ['1 + 2 * 3', 7],
  ['(1 + 2) * 3', 9],
  ['2^3^2', 512],
  ['2**3', 8],
  ['-2^2', -4],
  ['(-2)^2', 4],
  ['2^-1', 0.5],
  ['- -2', 2],
  ['3 - -2^2', 7],
  ['6 * 2^2 / 3', 8],
  ['17 % 5', 2],
  ['0.1 + 0.2', 0.3],
  ['1e3 / 8', 125],
  ['.5 * 4', 2],
  ['9007199254740991 - 1', 9_007_199_254_740_990],
  ['sqrt(16) + abs(-3)', 7],
  ['max(1, 2, min(9, 5))', 5],
  ['round(1.005, 2)', 1.01],
  ['round(-2.5)', -3],
  ['round(1234, -2)', 1_200],
  ['ln(e)', 1],
  ['cos(PI)', -1],
  ['((((((((((1))))))))))', 1],
])('computes %s as %d', async (expression, expected) => {
  expect(await result(expression)).toEqual({ result: expected });
});

it.each([
  ['1 / 0', 'has no finite value: it comes to Infinity'],
  ['sqrt(-1)', 'it comes to NaN'],
  ['1,000 * 2', 'must have numbers without separators'],
  ['1 +', 'cannot be read'],
  ['', 'got a Compound'],
  ['1 2', 'got a Compound'],
  ['"a" + 1', 'must hold numbers only, got "a"'],
  ['true + 1', 'must hold numbers only, got true'],
  ['x + 1', 'may name pi and e, got x'],
  ['constructor', 'may name pi and e, got constructor'],
  ['process.exit(1)', 'got a call'],
  ['fetch(1)', 'may call abs, '],
  ['toString(1)', 'got toString'],
  ['(1).constructor', 'got a MemberExpression'],
  ['[1][0]', 'got a MemberExpression'],
  ['1 ? 2 : 3', 'got a ConditionalExpression'],
  ['1 == 1', 'may use + - * / % ^ **, got =='],
  ['a = 1', 'cannot be read'],
  ['!1', 'may use the signs + and -, got !'],
  ['~1', 'may use the signs + and -, got ~'],
  ['sqrt(1, 2)', 'must give sqrt 1 value(s), got 2'],
  ['round(1, 0.5)', 'must round to a whole number of places'],
  [`${'('.repeat(200)}1${')'.repeat(200)}`, 'nested more than 100 levels deep'],
  [`${'-'.repeat(500)}1`, 'nested more than 100 levels deep'],
  ['1'.repeat(1_001), 'must be at most 1000 characters, got 1001'],
])('refuses %j and says what is wrong with it', async (expression, expected) => {
  await expect(result(expression)).rejects.toMatchObject({
    code: 'BAD_INPUT',
    message: expect.stringContaining(expected),
  });
});
