import fc from 'fast-check';
import {
  type GraphQLInputType,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isRequiredInputField,
} from 'graphql';
import { known, knownNames, raw } from './known-names.ts';

/** Draws from an arbitrary: every choice comes from the seed. */
export type Draw = <T>(arbitrary: fc.Arbitrary<T>) => T;

const anyCodeUnits = fc.array(fc.nat(0xffff), { maxLength: 12 }).map((units) => String.fromCharCode(...units));

const hostileText = fc.oneof(
  { weight: 4, arbitrary: anyCodeUnits },
  {
    weight: 8,
    arbitrary: fc.constantFrom(
      '',
      ' \n',
      '\0',
      'default\0',
      'a\ud800',
      '\udc00a',
      '\ufeff\u202e\u2028',
      '😀',
      '<mark>&"\'</mark>',
      "'; drop table documents; --",
      '%_\\',
      '$1',
      '{}',
      '__proto__',
      'constructor',
      'toString',
      '../../etc/passwd',
      'data:text/plain;base64,AAAA',
      'http://127.0.0.1:1/',
      'not a uuid',
      '00000000-0000-0000-0000-000000000000',
      'FFFFFFFF-FFFF-4FFF-BFFF-FFFFFFFFFFFF',
      '-1',
      'NaN',
      '9999-12-31T23:59:59Z',
      '0000-01-01T00:00:00Z',
      '2026-02-30T00:00:00Z',
      '2026-01-01T00:00:00+23:59',
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom('a', ' ', '(', '\u0301', '[1]', 'é\n').map((part) => part.repeat(4_000)) },
  { weight: 3, arbitrary: known },
);
const hostileNumber = fc.oneof(
  fc.constantFrom(0, -1, 1.5, 101, 501, 1e21, -1e308, 1e308, 2 ** 31, -(2 ** 31) - 1, 2 ** 53, 5e-324),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);

/** Any JSON, of any type but the right one. */
const anyJson: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: hostileText },
  { weight: 3, arbitrary: hostileNumber },
  { weight: 2, arbitrary: fc.constantFrom<unknown>(null, true, false, [], {}, [[]], [null], { '': null }) },
  { weight: 1, arbitrary: raw },
  {
    weight: 1,
    arbitrary: fc.dictionary(hostileText, fc.oneof(hostileText, hostileNumber, fc.constant(null)), { maxKeys: 4 }),
  },
  { weight: 1, arbitrary: fc.jsonValue() },
);

/** What a client means to send, by the argument's name: a case that is refused at once tests nothing behind that. */
const sensible: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  query: fc.constantFrom('lamp', 'How often does the lamp turn?', 'otter OR (fox', '"exact words" -not'),
  text: fc.constantFrom('The lamp turns twice a minute. It is lit at sunset.', 'otter', '# A title\n\nSome text.'),
  message: fc.constantFrom('How often does the lamp turn?', 'Hello.'),
  in: fc.constantFrom('default', 'default', 'default', 'scratch', 'nowhere'),
  name: fc.constantFrom('scratch', 'scratch-2', 'nowhere'),
  title: fc.constantFrom('A title', null),
  user: fc.constantFrom('ada', null),
  first: fc.constantFrom(1, 2, 10),
  last: fc.constantFrom(1, 2),
  perDocument: fc.constantFrom(1, 3, null),
  maxWords: fc.constantFrom(20, 60),
  model: fc.constantFrom(null, 'gpt-4.1-mini', 'extractive', 'some-other-model'),
  embeddingModel: fc.constantFrom(null, 'text-embedding-3-small'),
  temperature: fc.constantFrom(0, 1),
  topP: fc.constantFrom(0.5, 1),
  timeoutMs: fc.constantFrom(50, 5_000),
  maxOutputTokens: fc.constantFrom(1, 100),
  metadata: fc.constantFrom<unknown>(null, {}, { team: 'a' }),
  responseSchema: fc.constantFrom<unknown>(
    null,
    { type: 'object' },
    { type: 'nothing' },
    { $ref: '#/nowhere' },
    { pattern: '(' },
  ),
  providerOptions: fc.constantFrom<unknown>(null, { top_k: 3 }),
  externalId: fc.constantFrom('a', 'b', 'lighthouse'),
  externalIds: fc.constantFrom<unknown>(['a'], ['a', 'b'], null),
  field: fc.constantFrom('team', 'author.name', 'year'),
  equals: fc.constantFrom<unknown>('a', 1, null, true, { deep: [1] }),
  since: fc.constantFrom('2026-01-01T00:00:00Z', null),
  after: fc.constantFrom(null, null, '@@searchCursor@@', '@@runCursor@@', '@@documentCursor@@'),
  before: fc.constant(null),
  id: fc.constantFrom('@@conversationId@@', '@@conversationId@@', ...knownNames.map((name) => `@@${name}@@`)),
  // What one case deletes is missing to those that come after.
  'deleteConversation.id': fc.constantFrom('@@spareConversationId@@', '@@documentId@@'),
  'deleteDocuments.in': fc.constantFrom('scratch', 'scratch-2', 'nowhere'),
  ids: fc.array(known, { maxLength: 3 }),
  leaf: fc.constantFrom(null, '@@messageId@@'),
  conversationId: fc.constantFrom(null, '@@conversationId@@'),
  parentMessageId: fc.constantFrom(null, '@@messageId@@', '@@conversationId@@'),
  mimeType: fc.constantFrom('image/png', 'text/plain', 'application/pdf'),
  base64: fc.constantFrom('aGVsbG8=', null),
  url: fc.constantFrom('https://example.org/a.png', null),
};
const runIds = fc.oneof(fc.uuid(), fc.constantFrom('@@chatRunUuid@@', '@@ingestRunUuid@@'));
const filters: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  filter: fc.oneof(
    { maxDepth: 3 },
    fc.record({ field: fc.oneof(sensible['field'] ?? hostileText, hostileText), equals: anyJson }),
    fc.record({ field: fc.constant('year'), in: fc.array(anyJson, { minLength: 1, maxLength: 3 }) }),
    fc.record({ field: fc.constant('year'), greaterThan: fc.oneof(hostileNumber, hostileText, raw) }),
    fc.record({ field: fc.constant('team'), lessThan: fc.oneof(hostileNumber, hostileText) }),
    fc.record({ field: hostileText, exists: fc.boolean() }),
    fc.record({ all: fc.array(tie('filter'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ any: fc.array(tie('filter'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ not: tie('filter') }),
  ),
})).filter;

/** How often an optional input field is there, in a hundred; those that exclude each other seldom. */
const presence: Readonly<Record<string, number>> = {
  message: 95,
  retrieval: 50,
  conversationId: 15,
  parentMessageId: 8,
  history: 8,
  attachments: 8,
  store: 10,
  responseSchema: 10,
  model: 10,
  timeoutMs: 10,
};
const usualPresence = 20;

/** A value for an argument or an input field: what fits, or, `hostility` times in a hundred, what does not. */
export function inputValue(draw: Draw, type: GraphQLInputType, name: string, hostility: number, depth = 0): unknown {
  if (isNonNullType(type)) return inputValue(draw, type.ofType, name, hostility, depth) ?? draw(hostileText);
  const isHostile = draw(fc.nat(99)) < hostility;
  if (isInputObjectType(type)) {
    // What is wrong inside an object reaches further than something else in its place.
    if (isHostile && draw(fc.nat(4)) === 0) return draw(fc.oneof(raw, anyJson));
    if (type.name === 'MetadataFilter' && (depth > 2 || draw(fc.nat(4)) > 0)) return draw(filters);
    const within = isHostile ? Math.max(hostility, 20) : hostility;
    return Object.fromEntries(
      Object.values(type.getFields())
        .filter((field) => isRequiredInputField(field) || (depth < 4 && isThere(draw, field.name)))
        .map((field) => [field.name, inputValue(draw, field.type, field.name, within, depth + 1)]),
    );
  }
  if (isHostile) return draw(hostileFor(type));
  const meant = sensible[name] ?? sensible[name.replace(/^.*\./, '')];
  if (meant !== undefined) return draw(meant);
  if (isListType(type)) {
    if (depth > 3) return [];
    return Array.from({ length: draw(fc.nat(3)) }, () => inputValue(draw, type.ofType, name, hostility, depth + 1));
  }
  if (isEnumType(type)) return draw(fc.constantFrom(...type.getValues().map((value) => value.name)));
  switch (type.name) {
    case 'UUID':
      return draw(runIds);
    case 'Int':
    case 'Float':
      return draw(fc.nat(100));
    case 'Boolean':
      return draw(fc.boolean());
    case 'JSON':
      return draw(anyJson);
    default:
      return draw(hostileText);
  }
}

const isThere = (draw: Draw, name: string): boolean => draw(fc.nat(99)) < (presence[name] ?? usualPresence);

/** Mostly of the right kind, so that it comes past GraphQL's own checks and reaches ours. */
function hostileFor(type: GraphQLInputType): fc.Arbitrary<unknown> {
  const named = getNamedType(type);
  const rightKind: fc.Arbitrary<unknown> =
    named.name === 'Int' || named.name === 'Float'
      ? hostileNumber
      : named.name === 'JSON'
        ? fc.oneof(raw, anyJson)
        : hostileText;
  const one = fc.oneof({ weight: 6, arbitrary: rightKind }, { weight: 1, arbitrary: anyJson });
  return isListType(type) ? fc.array(one, { maxLength: 4 }) : one;
}
