import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GatewayError } from '../../core/contracts/gateway-error.ts';
import { checkFirst, decodeCursor, decodeRunCursor, encodeCursor, encodeRunCursor } from '../../core/pagination.ts';

const run = { tenant: 'tenant', runId: '8b2c9f0e-6c56-4a39-9b5e-0f7a8b1c2d3e' };

function refusal(call: () => unknown): GatewayError {
  try {
    call();
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

/** What a client can send: any text, and texts that come close to a cursor. */
const anything = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.base64String(),
  fc.json().map((json) => Buffer.from(json).toString('base64url')),
  fc.json().map((json) => Buffer.from(`["${tag('list')}",${json}]`).toString('base64url')),
  fc.tuple(fc.nat(60), fc.string({ maxLength: 2 })).map(([at, put]) => {
    const cursor = encodeCursor('list', ['2026-01-01T00:00:00.000Z', 'id', 7]);
    return cursor.slice(0, at) + put + cursor.slice(at + 1);
  }),
);

describe('cursors', () => {
  test('give back the key that they were made of', () => {
    const part = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (n === 0 ? 0 : n)),
    );
    fc.assert(
      fc.property(fc.string(), fc.array(part, { maxLength: 4 }), (scope, key) => {
        const cursor = encodeCursor(scope, key);
        expect(cursor).toMatch(/^[\w-]+$/);
        expect(decodeCursor(scope, cursor)).toEqual(key);
      }),
    );
  });

  test('are the same from every process: a cursor handed out long ago still works', () => {
    expect(encodeCursor('documents of c1', ['2026-01-01', 7])).toBe('WyJVY3hodHJ5NiIsIjIwMjYtMDEtMDEiLDdd');
    expect(encodeRunCursor(run, 12)).toBe('WyJFR1FUZlJ6SyIsMTJd');
    expect(decodeRunCursor(run, 'WyJFR1FUZlJ6SyIsMTJd')).toBe(12);
  });

  test('of one list are refused by another', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.array(fc.integer()), (one, other, key) => {
        fc.pre(one !== other);
        const error = refusal(() => decodeCursor(other, encodeCursor(one, key)));
        expect(error.code).toBe('BAD_INPUT');
        expect(error.message).toContain('of another list or query');
      }),
    );
  });

  test('that are none are refused with the argument, what was expected, and what came, shortened', () => {
    expect(refusal(() => decodeCursor('list', 'abc')).message).toBe(
      'after must be a cursor that this list returned, got "abc"',
    );
    expect(refusal(() => decodeCursor('list', '', 'before')).message).toBe(
      'before must be a cursor that this list returned, got ""',
    );
    const long = refusal(() => decodeCursor('list', 'x'.repeat(100_000))).message;
    expect(long).toBe(`after must be a cursor that this list returned, got "${'x'.repeat(40)}"…`);
    const tooLong = encodeCursor('list', ['x'.repeat(20_000)]);
    expect(refusal(() => decodeCursor('list', tooLong)).message).toContain('that this list returned');
    expect(refusal(() => decodeCursor('list', 'a\n\u001b[31m')).message).toContain('"a\\n\\u001b[31m"');
  });

  test('have one spelling', () => {
    const cursor = encodeCursor('list', ['é?>>', 1]);
    const padded = Buffer.from(JSON.stringify([tag('list'), 'é?>>', 1])).toString('base64');
    expect(padded).not.toBe(cursor);
    const spaced = Buffer.from(`["${tag('list')}", "é?>>", 1]`).toString('base64url');
    const huge = Buffer.from(`["${tag('list')}",1e999]`).toString('base64url');
    for (const other of [padded, `${cursor}=`, ` ${cursor}`, `${cursor}\n`, spaced, huge]) {
      expect(refusal(() => decodeCursor('list', other)).code).toBe('BAD_INPUT');
    }
  });

  test('either decode or are refused as BAD_INPUT, whatever the string', () => {
    let decoded = 0;
    fc.assert(
      fc.property(anything, (cursor) => {
        for (const decode of [() => decodeCursor('list', cursor), () => [decodeRunCursor(run, cursor)]]) {
          try {
            for (const part of decode()) expect(['string', 'number']).toContain(typeof part);
            decoded += 1;
          } catch (error) {
            expect(error).toBeInstanceOf(GatewayError);
            expect(error).toMatchObject({ code: 'BAD_INPUT', retryable: false });
          }
        }
      }),
      { numRuns: 3000 },
    );
    // Otherwise the texts never came close.
    expect(decoded).toBeGreaterThan(0);
  });

  test("can't be made of a number that JSON does not have", () => {
    for (const number of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => encodeCursor('list', ['a', number])).toThrow(`a cursor can't carry ${number}`);
    }
  });
});

describe('run cursors', () => {
  test('give back any seq, 0 and the largest one included', () => {
    for (const seq of [0, 1, 2, 1000, Number.MAX_SAFE_INTEGER]) {
      expect(decodeRunCursor(run, encodeRunCursor(run, seq))).toBe(seq);
    }
  });

  test('of another run, another tenant, or a list are refused', () => {
    const foreign = [
      encodeRunCursor({ ...run, tenant: 'other' }, 3),
      encodeRunCursor({ ...run, runId: crypto.randomUUID() }, 3),
      encodeRunCursor({ tenant: '', runId: run.tenant + run.runId }, 3),
      encodeCursor('list', [3]),
    ];
    for (const cursor of foreign) {
      expect(refusal(() => decodeRunCursor(run, cursor)).message).toBe(
        `after must be a cursor of an event of this run, got "${cursor}"`,
      );
    }
  });

  test('with anything but one whole number from 0 are refused', () => {
    const scope = JSON.stringify(['run', run.tenant, run.runId]);
    expect(decodeRunCursor(run, encodeCursor(scope, [3]))).toBe(3);
    for (const key of [[], [-1], [1.5], ['1'], [1, 2], [2 ** 53]]) {
      expect(refusal(() => decodeRunCursor(run, encodeCursor(scope, key))).code).toBe('BAD_INPUT');
    }
  });
});

describe('checkFirst', () => {
  test('takes 1 to max', () => {
    for (const first of [1, 50, 100]) checkFirst(first, { max: 100 });
  });

  test('refuses everything else, and says what was expected and what came', () => {
    expect(refusal(() => checkFirst(0, { max: 100 })).message).toBe('first must be 1–100, got 0');
    expect(refusal(() => checkFirst(501, { name: 'last', max: 500 })).message).toBe('last must be 1–500, got 501');
    for (const first of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(refusal(() => checkFirst(first, { max: 100 })).code).toBe('BAD_INPUT');
    }
  });
});

/** The tag of a scope, taken from a cursor: the test has no second formula for it. */
function tag(scope: string): string {
  const [found] = JSON.parse(Buffer.from(encodeCursor(scope, []), 'base64url').toString());
  return found;
}
