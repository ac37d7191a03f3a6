import fc from 'fast-check';
import type { GraphQLSchema } from 'graphql';
import type { Draw } from './hostile-values.ts';
import { type FuzzOperation, operation } from './operations.ts';

export interface FuzzRequest {
  readonly method: string;
  /** Under the gateway's origin. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer | null;
  /** Some streams last until somebody ends them. */
  readonly endless: boolean;
}

const json = { 'content-type': 'application/json' };

/** One request: a random operation, sent as it should be, or in one of the many ways in which it should not. */
export function httpRequest(schema: GraphQLSchema): fc.Arbitrary<FuzzRequest> {
  return fc.gen().map((generate) => {
    const draw: Draw = (arbitrary) => generate(() => arbitrary);
    const built = operation(draw, schema);
    return draw(way)(built, draw);
  });
}

type Way = (built: FuzzOperation, draw: Draw) => FuzzRequest;

const post = (
  body: string | Buffer,
  built: FuzzOperation,
  headers: Readonly<Record<string, string>> = {},
): FuzzRequest => ({
  method: 'POST',
  target: '/graphql',
  headers: { ...json, ...(built.kind === 'subscription' ? { accept: 'text/event-stream' } : {}), ...headers },
  body,
  endless: built.kind === 'subscription',
});

const asItShould: Way = (built) => post(bodyOf(built), built);

const brokenQuery: Way = (built, draw) => post(bodyOf({ ...built, query: damaged(built.query, draw) }), built);

const brokenBytes: Way = (built, draw) => {
  const bytes = Buffer.from(bodyOf(built));
  for (let left = draw(fc.integer({ min: 1, max: 4 })); left > 0; left--) {
    bytes[draw(fc.nat(Math.max(0, bytes.length - 1)))] = draw(fc.nat(255));
  }
  return post(bytes.subarray(0, draw(fc.constantFrom(bytes.length, draw(fc.nat(bytes.length))))), built);
};

const randomBytes: Way = (built, draw) => post(Buffer.from(draw(fc.uint8Array({ maxLength: 300 }))), built);

const brokenEnvelope: Way = (built, draw) => {
  const { query, variables } = built;
  const envelope = draw(
    fc.constantFrom<unknown>(
      null,
      [],
      [{ query, variables }],
      '',
      7,
      {},
      { query: null },
      { query: 7 },
      { query: [query] },
      { query: '' },
      { query, variables: [] },
      { query, variables: 'x' },
      { query, variables: 7 },
      { query, variables: null },
      { query, variables, operationName: 'Nothing' },
      { query, variables, operationName: 7 },
      { query, variables, operationName: '' },
      { query, variables, extensions: 'x' },
      { query, variables, extensions: { persistedQuery: { version: 1, sha256Hash: 'x' } } },
      { extensions: { persistedQuery: { version: 1, sha256Hash: 'x' } } },
      { query: `${query} ${query}`, variables },
      { query: `${query} fragment A on Query { ...B } fragment B on Query { ...A }`, variables },
      { query, variables, unexpected: true },
      { variables },
    ),
  );
  return post(JSON.stringify(envelope), built);
};

const oddHeaders: Way = (built, draw) => {
  const odd = draw(
    fc.constantFrom<Readonly<Record<string, string>>>(
      { 'content-type': '' },
      { 'content-type': 'text/plain' },
      { 'content-type': 'application/x-www-form-urlencoded' },
      { 'content-type': 'application/graphql' },
      { 'content-type': 'multipart/form-data; boundary=x' },
      { 'content-type': 'application/json; charset=utf-16' },
      { 'content-type': 'application/json, application/json' },
      { accept: 'text/html' },
      { accept: '' },
      { accept: 'image/png' },
      { accept: '*/*;q=0' },
      { accept: 'multipart/mixed' },
      { accept: 'text/event-stream' },
      { accept: 'application/graphql-response+json' },
      { 'x-request-id': 'a'.repeat(5_000) },
      { 'x-request-id': '\u00e9\u00ff' },
      { authorization: 'Bearer' },
      { authorization: `Basic ${'A'.repeat(2_000)}` },
      { origin: 'null' },
      { origin: 'http://evil.example' },
      { origin: '\u00ff' },
      { host: 'evil.example' },
      { host: '' },
      { host: '[::1' },
      { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'javascript' },
      { 'content-encoding': 'gzip' },
      { 'content-length': '2' },
      { 'transfer-encoding': 'chunked' },
      { expect: '100-continue' },
      { expect: 'something' },
      { connection: 'upgrade', upgrade: 'h2c' },
      { 'x-graphql-event-stream-token': 'x' },
      { 'x-large': 'x'.repeat(20_000) },
      { cookie: '__proto__=1' },
    ),
  );
  return { ...post(bodyOf(built), built, odd), endless: true };
};

const byGet: Way = ({ query, variables }, draw) => {
  const text = draw(fc.constantFrom(JSON.stringify(variables), '{', '[]', 'null', '7'));
  const search = new URLSearchParams({ query, ...(draw(fc.boolean()) ? { variables: text } : {}) }).toString();
  const headers = draw(
    fc.constantFrom<Readonly<Record<string, string>>>({}, { accept: 'text/event-stream' }, { accept: 'text/html' }),
  );
  const target = draw(
    fc.constantFrom(
      `/graphql?${search}`,
      `/graphql/stream?${search}`,
      `/graphql?${search}&%`,
      '/graphql?query',
      `/graphql?query=%E0%A4%A`,
    ),
  );
  return { method: 'GET', target, headers, body: null, endless: true };
};

const form: Way = (built, draw) => {
  const fields = new URLSearchParams({
    query: built.query,
    variables: draw(fc.constantFrom(JSON.stringify(built.variables), '{', 'x', '')),
    extensions: draw(fc.constantFrom('{}', '{', '')),
  });
  return post(fields.toString(), built, { 'content-type': 'application/x-www-form-urlencoded' });
};

const otherMethods: Way = (built, draw) => ({
  ...post(bodyOf(built), built),
  method: draw(fc.constantFrom('PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD', 'PROPFIND')),
  target: draw(
    fc.constantFrom('/graphql', '/graphql/stream', '/', '//', '/health', '/ready', '/graphql/', '/%', '/graphql%00'),
  ),
});

const overEvents: Way = (built, draw) => ({
  ...post(bodyOf(built), built, { accept: 'text/event-stream' }),
  target: draw(fc.constantFrom('/graphql', '/graphql/stream')),
  endless: true,
});

const way = fc.oneof(
  { weight: 60, arbitrary: fc.constant(asItShould) },
  { weight: 8, arbitrary: fc.constant(brokenQuery) },
  { weight: 6, arbitrary: fc.constant(brokenBytes) },
  { weight: 2, arbitrary: fc.constant(randomBytes) },
  { weight: 6, arbitrary: fc.constant(brokenEnvelope) },
  { weight: 7, arbitrary: fc.constant(oddHeaders) },
  { weight: 4, arbitrary: fc.constant(byGet) },
  { weight: 2, arbitrary: fc.constant(form) },
  { weight: 2, arbitrary: fc.constant(otherMethods) },
  { weight: 3, arbitrary: fc.constant(overEvents) },
);

export function bodyOf({ query, variables }: FuzzOperation): string {
  return JSON.stringify({ query, variables });
}

/** Cut, doubled, turned round, or with something between. */
export function damaged(text: string, draw: Draw): string {
  const from = draw(fc.nat(text.length));
  const to = Math.min(text.length, from + draw(fc.nat(12)));
  const between = draw(
    fc.constantFrom(
      '',
      '{',
      '}',
      '(',
      '"',
      '"""',
      '#',
      '$',
      '...',
      '@include(if: 1)',
      '@defer ',
      '\0',
      '\ud800',
      '[[[[',
      'unknownField ',
      text.slice(from, to),
    ),
  );
  return text.slice(0, from) + between + text.slice(draw(fc.constantFrom(from, to)));
}
