import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, type Edge, startEdge } from './edge.ts';

const healthy = { ok: true, version: '0', components: [], eventLoopDelayP99Ms: 0 };
const okQuery = '{ health { ok } }';
const mutation = 'mutation { cancelRun(runId: "0") { run { id } } }';

let edge: Edge;
beforeAll(async () => {
  edge = await startEdge({ health: () => healthy });
});
afterAll(() => edge[Symbol.asyncDispose]());

const form = { 'content-type': 'application/x-www-form-urlencoded' };
const json = { 'content-type': 'application/json' };
const search = (parameters: Readonly<Record<string, string>>) => new URLSearchParams(parameters).toString();

describe('a request that is no operation', () => {
  it.each<[string, Parameters<typeof ask>[1], RegExp]>([
    [
      'variables of a query string',
      { path: `/graphql?${search({ query: okQuery, variables: '{' })}` },
      /variables.*JSON/,
    ],
    [
      'extensions of a query string',
      { path: `/graphql?${search({ query: okQuery, extensions: 'x' })}` },
      /extensions.*JSON/,
    ],
    [
      'variables of a form',
      { method: 'POST', headers: form, body: search({ query: okQuery, variables: 'x' }) },
      /variables.*JSON/,
    ],
    ['a body that is no JSON', { method: 'POST', headers: json, body: '{' }, /JSON/],
    ['a body of nothing', { method: 'POST', headers: json, body: '' }, /JSON/],
    ['a body that is null', { method: 'POST', headers: json, body: 'null' }, /object/],
    [
      'a list of operations',
      { method: 'POST', headers: json, body: JSON.stringify([{ query: okQuery }]) },
      /[Bb]atching/,
    ],
    ['a query that is a number', { method: 'POST', headers: json, body: '{"query":7}' }, /query/],
    [
      'no query',
      { method: 'POST', headers: { ...json, accept: 'application/graphql-response+json' }, body: '{}' },
      /query/,
    ],
  ])('is 400 and BAD_INPUT, and says what was wrong: %s', async (_name, asked, message) => {
    const { status, body } = await ask(edge.url, asked);
    expect(status).toBe(400);
    expect(JSON.parse(body)).toMatchObject({
      errors: [{ message: expect.stringMatching(message), extensions: { code: 'BAD_INPUT', retryable: false } }],
    });
    expect(edge.log.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

describe.each(['/graphql', '/graphql/stream'])('%s', (path) => {
  it('takes a query by GET, and a mutation by POST only: a link must not change anything', async () => {
    const query = await ask(edge.url, { path: `${path}?${search({ query: okQuery })}` });
    expect(JSON.parse(query.body)).toEqual({ data: { health: { ok: true } } });
    for (const accept of ['application/json', 'text/event-stream', '*/*']) {
      const refused = await ask(edge.url, { path: `${path}?${search({ query: mutation })}`, headers: { accept } });
      expect(refused).toMatchObject({ status: 405, headers: { allow: 'POST' } });
      expect(refused.body).toContain('"code":"BAD_INPUT"');
    }
  });

  it('answers one result as a stream of one event, an error with its code too', async () => {
    for (const [query, data] of [
      [okQuery, '{"data":{"health":{"ok":true}}}'],
      ['{', '"code":"BAD_INPUT"'],
      ['{ nothing }', '"code":"BAD_INPUT"'],
      ['query A { health { ok } } query B { health { ok } }', '"code":"BAD_INPUT"'],
    ]) {
      const { body } = await ask(edge.url, {
        method: 'POST',
        path,
        headers: { ...json, accept: 'text/event-stream' },
        body: JSON.stringify({ query }),
      });
      expect(body.match(/^event: next$/gm)).toHaveLength(1);
      expect(body).toContain(data);
      expect(body).toMatch(/event: complete\ndata:\n\n$/);
    }
  });
});

it('graphql-sse with a single connection is refused: its streams would outlive their requests', async () => {
  for (const asked of [
    { method: 'PUT' },
    { method: 'DELETE' },
    {
      method: 'POST',
      headers: { ...json, 'x-graphql-event-stream-token': 'x' },
      body: JSON.stringify({ query: okQuery }),
    },
  ]) {
    const { status, body } = await ask(edge.url, { path: '/graphql/stream', ...asked });
    expect(status).toBe(405);
    expect(JSON.parse(body)).toMatchObject({ errors: [{ message: expect.stringContaining('distinct connections') }] });
  }
});
