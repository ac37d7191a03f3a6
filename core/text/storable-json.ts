import { GatewayError } from '../contracts/gateway-error.ts';
import { assertStorable } from './normalise.ts';

export interface JsonBounds {
  readonly maxChars: number;
  /** How many objects and lists may stand inside each other. */
  readonly maxDepth: number;
}

/**
 * Throws BAD_INPUT unless `value` is JSON that can be stored: bounded, without NUL and lone surrogates. Depth comes first:
 * whatever walks a value that is nested some thousand deep, JSON.stringify too, runs out of stack.
 */
export function assertStorableJson(value: unknown, name: string, { maxChars, maxDepth }: JsonBounds): void {
  assertDepth(value, name, maxDepth);
  walk(value, name);
  const { length } = JSON.stringify(value) ?? '';
  if (length > maxChars) {
    throw new GatewayError('BAD_INPUT', `${name} must be at most ${maxChars} characters of JSON, got ${length}.`);
  }
}

export function assertDepth(value: unknown, name: string, maxDepth: number): void {
  if (!isWithin(value, maxDepth)) {
    throw new GatewayError('BAD_INPUT', `${name} must be at most ${maxDepth} levels deep, got more.`);
  }
}

/** BAD_INPUT for more than `maxValues` items and fields at all depths together; `value` is no deeper than a stack bears. */
export function assertSize(value: unknown, name: string, maxValues: number): void {
  let left = maxValues;
  const count = (given: unknown): boolean => {
    if (typeof given !== 'object' || given === null) return true;
    const items = Object.values(given);
    left -= items.length;
    return left >= 0 && items.every(count);
  };
  if (!count(value)) throw new GatewayError('BAD_INPUT', `${name} must hold at most ${maxValues} values, got more.`);
}

/** No more than `depth` objects and lists stand inside each other. */
export function isWithin(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return depth > 0 && Object.values(value).every((item) => isWithin(item, depth - 1));
}

function walk(value: unknown, path: string): void {
  if (typeof value === 'string') assertStorable(value, path);
  if (typeof value !== 'object' || value === null) return;
  for (const [key, item] of Object.entries(value)) {
    assertStorable(key, `a name in ${path.slice(0, 200)}`);
    walk(item, Array.isArray(value) ? `${path}[${key}]` : `${path}.${key.slice(0, 64)}`);
  }
}
