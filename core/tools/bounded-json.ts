import type { Json } from '../contracts/filter.ts';

export type BoundedJson =
  | { readonly ok: true; readonly value: Json; readonly chars: number }
  /** What is wrong with it, to stand after "the result": `is longer than …`. */
  | { readonly ok: false; readonly why: string };

const maxDepth = 50;

/**
 * A copy of what foreign code handed over, if it is JSON of at most `maxChars` characters. Nothing past the bound is looked at, so that
 * 50 MB cost no more than the bound; a cycle ends at the depth. Of what databases cannot store, NUL and half characters, U+FFFD is made.
 */
export function boundedJson(value: unknown, maxChars: number): BoundedJson {
  let left = maxChars;
  const spend = (chars: number): void => {
    left -= chars;
    if (left < 0) throw new Unfit(`is longer than ${maxChars} characters of JSON`);
  };
  const text = (given: string): string => {
    // What is too long by itself is not looked at; escapes are counted after.
    spend(given.length + 2);
    const kept = given.toWellFormed().replaceAll('\u0000', '\uFFFD');
    spend(JSON.stringify(kept).length - kept.length - 2);
    return kept;
  };
  const copy = (given: unknown, depth: number): Json => {
    if (given === null || typeof given === 'boolean') {
      spend(4);
      return given;
    }
    if (typeof given === 'string') return text(given);
    if (typeof given === 'number') {
      if (!Number.isFinite(given)) throw new Unfit(`holds ${given}, which is no JSON`);
      spend(String(given).length);
      return given;
    }
    if (typeof given !== 'object') throw new Unfit(`holds a value of type ${typeof given}, which is no JSON`);
    if (depth === 0) throw new Unfit(`is nested more than ${maxDepth} levels deep`);
    spend(2);
    if (Array.isArray(given)) {
      // Before the loop: a list can be long and hold nothing.
      spend(given.length);
      return Array.from(given, (item) => copy(item ?? null, depth - 1));
    }
    const kept: Record<string, Json> = {};
    for (const key in given) {
      if (!Object.hasOwn(given, key)) continue;
      const item: unknown = Reflect.get(given, key);
      if (item === undefined) continue;
      const name = text(key);
      spend(2);
      // `__proto__` is a name like any other; an assignment would take it for the prototype.
      Object.defineProperty(kept, name, { value: copy(item, depth - 1), enumerable: true, writable: true });
    }
    return kept;
  };
  try {
    const kept = copy(value, maxDepth);
    return { ok: true, value: kept, chars: maxChars - left };
  } catch (error) {
    // A getter may throw whatever it likes.
    return { ok: false, why: error instanceof Unfit ? error.message : 'cannot be read' };
  }
}

class Unfit extends Error {}
