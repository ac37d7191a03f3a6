import jsep from 'jsep';
import { GatewayError } from '../../contracts/gateway-error.ts';

const maxChars = 1_000;
const maxDepth = 100;

// What mathematics writes: a power binds stronger than a product, and from the right. `^` is an exclusive or to the parser otherwise.
const powerPrecedence = 11;
jsep.addBinaryOp('^', powerPrecedence, true);

const binary: ReadonlyMap<string, (left: number, right: number) => number> = new Map([
  ['+', (left, right) => left + right],
  ['-', (left, right) => left - right],
  ['*', (left, right) => left * right],
  ['/', (left, right) => left / right],
  ['%', (left, right) => left % right],
  ['^', (left, right) => left ** right],
  ['**', (left, right) => left ** right],
]);

const constants: ReadonlyMap<string, number> = new Map([
  ['pi', Math.PI],
  ['e', Math.E],
]);

interface MathFunction {
  readonly min: number;
  readonly max: number;
  readonly apply: (...values: number[]) => number;
}

/** What parentheses become, so that `(-2)^2` can be told from `-2^2` when the parser has dropped them. */
const group = 'group_';

const one = (apply: (value: number) => number): MathFunction => ({ min: 1, max: 1, apply });
const functions: ReadonlyMap<string, MathFunction> = new Map([
  ...(['abs', 'acos', 'asin', 'atan', 'cbrt', 'ceil', 'cos', 'exp', 'floor', 'log10', 'log2'] as const).map(
    (name) => [name, one(Math[name])] as const,
  ),
  ...(['sign', 'sin', 'sqrt', 'tan', 'trunc'] as const).map((name) => [name, one(Math[name])] as const),
  ['ln', one(Math.log)],
  ['max', { min: 1, max: 100, apply: Math.max }],
  ['min', { min: 1, max: 100, apply: Math.min }],
  ['round', { min: 1, max: 2, apply: round }],
  [group, one((value) => value)],
]);

export const functionNames = [...functions.keys()].filter((name) => name !== group).sort();

/** The value of an arithmetic expression, parsed and walked, never run. BAD_INPUT says what it has that is not understood. */
export function evaluate(expression: string): number {
  if (expression.length > maxChars) throw wrong(`must be at most ${maxChars} characters, got ${expression.length}`);
  const value = compute(parse(expression), maxDepth);
  if (!Number.isFinite(value)) throw wrong(`has no finite value: it comes to ${value}`);
  // 0.1 + 0.2 is 0.3 to everybody but the processor.
  return Number.isSafeInteger(value) ? value : Number(value.toPrecision(15));
}

function parse(expression: string): jsep.Expression {
  if (/\d,\d{3}(?!\d)/.test(expression) && !/[a-z]/i.test(expression)) {
    throw wrong('must have numbers without separators, such as 1000000 for 1,000,000');
  }
  const grouped = expression.replace(/([A-Za-z_]\w*\s*)?\(/g, (all, name?: string) =>
    name === undefined ? `${group}(` : all,
  );
  try {
    return jsep(grouped);
  } catch (error) {
    // The parser counts places in what was made of the text, so only its words are of use.
    const why = error instanceof Error ? error.message.replace(/ at character \d+$/, '') : String(error);
    throw wrong(`cannot be read: ${why}`);
  }
}

function compute(node: jsep.Expression, depth: number): number {
  if (depth === 0) throw wrong(`is nested more than ${maxDepth} levels deep`);
  const inner = (child: jsep.Expression): number => compute(child, depth - 1);
  if (isNode<jsep.Literal>(node, 'Literal')) {
    if (typeof node.value === 'number') return node.value;
    throw wrong(`must hold numbers only, got ${node.raw.slice(0, 40)}`);
  }
  if (isNode<jsep.Identifier>(node, 'Identifier')) {
    const value = constants.get(node.name.toLowerCase());
    if (value !== undefined) return value;
    throw wrong(`may name ${[...constants.keys()].join(' and ')}, got ${node.name.slice(0, 40)}`);
  }
  if (isNode<jsep.UnaryExpression>(node, 'UnaryExpression')) return signed(node.operator, inner(node.argument));
  if (isNode<jsep.BinaryExpression>(node, 'BinaryExpression')) return binaryValue(node, inner);
  if (isNode<jsep.CallExpression>(node, 'CallExpression')) return callValue(node, inner);
  throw wrong(
    `must be one expression of numbers, + - * / % ^, parentheses and functions, got a ${node.type || 'nothing'}`,
  );
}

function binaryValue(node: jsep.BinaryExpression, inner: (child: jsep.Expression) => number): number {
  const apply = binary.get(node.operator);
  if (apply === undefined) throw wrong(`may use ${[...binary.keys()].join(' ')}, got ${node.operator}`);
  const { left, right } = node;
  // The parser takes -2^2 for (-2)^2.
  if ((node.operator === '^' || node.operator === '**') && isNode<jsep.UnaryExpression>(left, 'UnaryExpression')) {
    return signed(left.operator, inner({ ...node, left: left.argument }));
  }
  return apply(inner(left), inner(right));
}

function callValue({ callee, arguments: given }: jsep.CallExpression, inner: (child: jsep.Expression) => number) {
  const name = isNode<jsep.Identifier>(callee, 'Identifier') ? callee.name : '';
  const known = functions.get(name === group ? name : name.toLowerCase());
  if (known === undefined) throw wrong(`may call ${functionNames.join(', ')}, got ${name.slice(0, 40) || 'a call'}`);
  if (given.length >= known.min && given.length <= known.max) return known.apply(...given.map(inner));
  const allowed = known.min === known.max ? String(known.min) : `${known.min} to ${known.max}`;
  throw wrong(`must give ${name === group ? 'parentheses' : name} ${allowed} value(s), got ${given.length}`);
}

function signed(operator: string, value: number): number {
  if (operator === '-') return -value;
  if (operator === '+') return value;
  throw wrong(`may use the signs + and -, got ${operator}`);
}

/** To so many decimal places; half away from zero, as people round. */
function round(value: number, places = 0): number {
  if (!Number.isInteger(places) || Math.abs(places) > 15) {
    throw wrong(`must round to a whole number of places from -15 to 15, got ${places}`);
  }
  const factor = 10 ** places;
  // The product of 1.005 and 100 is a little less than 100.5.
  const scaled = Number((Math.abs(value) * factor).toPrecision(15));
  return (Math.sign(value) * Math.round(scaled)) / factor;
}

function isNode<T extends jsep.Expression>(node: jsep.Expression, type: T['type']): node is T {
  return node.type === type;
}

const wrong = (what: string): GatewayError => new GatewayError('BAD_INPUT', `expression ${what}.`);
