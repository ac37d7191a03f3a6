import { hash } from 'node:crypto';
import type { RunKey } from './contracts/event-log.ts';
import { GatewayError } from './contracts/gateway-error.ts';

export type CursorKey = readonly (string | number)[];

/** Far above what a key of ids and dates needs; bounds what decoding a hostile cursor costs. */
const maxCursorLength = 16_384;
const shownLength = 40;

/**
 * An opaque position in a list: base64url of `[tag, …key]`. `scope` names the list with all that decides its order and
 * content (tenant, collection, filter …); its hash is the tag, so that a cursor of another list is refused instead of
 * giving a wrong page. No secret is involved: cursors stay valid across instances and restarts, and a forged one only
 * reaches a position in a list that its reader may read anyway.
 */
export function encodeCursor(scope: string, key: CursorKey): string {
  const unusable = key.find((part) => typeof part === 'number' && !Number.isFinite(part));
  // JSON would make null of it: a cursor that is refused when it comes back.
  if (unusable !== undefined) throw new TypeError(`a cursor can't carry ${unusable}`);
  return encode([tagOf(scope), ...key]);
}

/** The key that `encodeCursor` was given for the same scope; BAD_INPUT, naming `argument`, for any other string. */
export function decodeCursor(scope: string, cursor: string, argument = 'after'): CursorKey {
  const [tag, ...key] = parse(cursor) ?? refuse(argument, cursor, 'a cursor that this list returned');
  if (tag !== tagOf(scope)) refuse(argument, cursor, 'a cursor of this list', ', which is of another list or query');
  return key;
}

/** A position in a run's log: everything up to and including `seq` has been seen. */
export function encodeRunCursor(key: RunKey, seq: number): string {
  return encodeCursor(runScope(key), [seq]);
}

export function decodeRunCursor(key: RunKey, cursor: string, argument = 'after'): number {
  const [tag, seq, ...rest] = parse(cursor) ?? refuse(argument, cursor, 'a cursor of an event of this run');
  if (
    tag !== tagOf(runScope(key)) ||
    typeof seq !== 'number' ||
    rest.length > 0 ||
    !Number.isSafeInteger(seq) ||
    seq < 0
  )
    refuse(argument, cursor, 'a cursor of an event of this run');
  return seq;
}

/** `first`, `last` and every other number of items that a client may ask for; its default is within `max`. */
export function checkFirst(
  first: number,
  { name = 'first', max }: { readonly name?: string; readonly max: number },
): void {
  if (Number.isInteger(first) && first >= 1 && first <= max) return;
  throw new GatewayError('BAD_INPUT', `${name} must be 1–${max}, got ${first}`);
}

/** Undefined for what `encodeCursor` can't have made. */
function parse(cursor: string): CursorKey | undefined {
  if (cursor.length > maxCursorLength) return undefined;
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    // Decoders forgive much. One position has one spelling, so that nothing but our own encoding comes through.
    return Array.isArray(parts) && parts.every(isKeyPart) && encode(parts) === cursor ? parts : undefined;
  } catch {
    return undefined;
  }
}

function isKeyPart(part: unknown): part is string | number {
  return typeof part === 'string' || typeof part === 'number';
}

function encode(parts: CursorKey): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

function tagOf(scope: string): string {
  return hash('sha256', scope, 'base64url').slice(0, 8);
}

function runScope({ tenant, runId }: RunKey): string {
  return JSON.stringify(['run', tenant, runId]);
}

function refuse(argument: string, cursor: string, expected: string, but = ''): never {
  const shown = JSON.stringify(cursor.slice(0, shownLength)) + (cursor.length > shownLength ? '…' : '');
  throw new GatewayError('BAD_INPUT', `${argument} must be ${expected}, got ${shown}${but}`);
}
