import { afterAll, expect, it } from 'vitest';
import { createResponseSchemas } from '../../../core/chat/response-schemas.ts';
import { processorWait } from '../../helpers/processor-wait.ts';

const timeLimitMs = 1_000;
const schemas = createResponseSchemas({ timeLimitMs });
/** For what only has to work, on a machine however busy. */
const patient = createResponseSchemas({ timeLimitMs: 30_000 });
afterAll(() => Promise.all([schemas.close(), patient.close()]));

const never = new AbortController().signal;

/** 2^60 steps: each definition applies the one below it twice. */
function doubling(levels: number): Record<string, unknown> {
  const definitions: Record<string, unknown> = { d0: { type: 'object' } };
  for (let level = 1; level <= levels; level += 1) {
    const below = { $ref: `#/$defs/d${level - 1}` };
    definitions[`d${level}`] = { allOf: [below, below] };
  }
  return { $defs: definitions, $ref: `#/$defs/d${levels}` };
}

const tooSlow = expect.objectContaining({ code: 'BAD_INPUT', message: expect.stringContaining(`${timeLimitMs} ms`) });

it.each([
  ['a pattern that backtracks', { pattern: '^(\\w+\\s?)*$' }, JSON.stringify(`${'word '.repeat(20)}!`)],
  [
    'a name pattern that backtracks',
    { patternProperties: { '^(a+)+$': true } },
    JSON.stringify({ [`${'a'.repeat(40)}!`]: 1 }),
  ],
  ['references that multiply', doubling(60), '{}'],
  [
    'a comparison of all with all',
    { uniqueItems: true },
    JSON.stringify(Array.from({ length: 30_000 }, (_, n) => ({ n, list: [n, n] }))),
  ],
])('ends %s at the time limit, in its own thread, and goes on', async (_name, schema, reply) => {
  await patient.assertSchema(schema);
  let turns = 0;
  const counting = setInterval(() => {
    turns += 1;
  }, 5);
  const [startedAt, waitedMs] = [performance.now(), processorWait()];
  const checking = schemas.check(schema, reply, never);
  // What waits behind it is not lost.
  const behind = schemas.check({ type: 'integer' }, '1', never);
  await expect(checking).rejects.toEqual(tooSlow);
  expect(performance.now() - startedAt - waitedMs()).toBeLessThan(5 * timeLimitMs);
  expect(await behind).toEqual({ ok: true, value: 1 });
  clearInterval(counting);
  // The event loop turned all the while.
  expect(turns).toBeGreaterThan(20);
});

it('leaves the caller at once when its signal is aborted', async () => {
  const controller = new AbortController();
  const checking = schemas.check({ pattern: '^(a+)+$' }, JSON.stringify(`${'a'.repeat(40)}!`), controller.signal);
  controller.abort(new Error('gone'));
  await expect(checking).rejects.toThrow('gone');
  expect(await schemas.check({ type: 'integer' }, '1', never)).toEqual({ ok: true, value: 1 });
});

it('lets inner ids of one schema be unknown to the next', async () => {
  const definitions = { $defs: { a: { $id: 'https://example.org/a', type: 'integer' } } };
  await patient.assertSchema({ ...definitions, $ref: 'https://example.org/a' });
  await expect(patient.assertSchema({ $ref: 'https://example.org/a' })).rejects.toMatchObject({
    code: 'BAD_INPUT',
    message: expect.stringContaining('not fetched'),
  });
  await patient.assertSchema({ ...definitions, $ref: 'https://example.org/a', description: 'once more' });
});

it('lists all faults of a reply, at most 20, with their paths', async () => {
  const schema = { type: 'array', items: { type: 'object', properties: { a: { enum: ['x', 'y'] } }, required: ['a'] } };
  expect(await patient.check(schema, '[{"a": "z"}, {}]', never)).toEqual({
    ok: false,
    faults: [
      '/0/a must be equal to one of the allowed values {"allowedValues":["x","y"]}, got "z"',
      "/1 must have required property 'a'",
    ],
  });
  const many = await patient.check(schema, JSON.stringify(Array.from({ length: 50 }, () => ({}))), never);
  expect(many).toMatchObject({ ok: false, faults: { length: 20 } });
  expect(await patient.check(schema, 'Sure!', never)).toEqual({ ok: false, faults: ['the reply is not JSON'] });
});

it('takes recursive schemas', async () => {
  const tree = { type: 'object', properties: { children: { type: 'array', items: { $ref: '#' } } } };
  expect(await patient.check(tree, '{"children": [{"children": []}]}', never)).toMatchObject({ ok: true });
  expect(await patient.check(tree, '{"children": [{"children": [1]}]}', never)).toMatchObject({ ok: false });
});
