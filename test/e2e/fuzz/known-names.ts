import fc from 'fast-check';

/**
 * Ids and cursors of the started gateway are other ones in every run, so that cases hold their names and stay the same.
 * They are filled in where the case is sent.
 */
export const knownNames = [
  'documentId',
  'passageId',
  'collectionId',
  'conversationId',
  'spareConversationId',
  'messageId',
  'chatRunId',
  'chatRunUuid',
  'ingestRunUuid',
  'searchCursor',
  'runCursor',
  'documentCursor',
] as const;
export type KnownName = (typeof knownNames)[number];
export const known = fc.constantFrom(...knownNames).map((name) => `@@${name}@@`);

/** JSON that no JavaScript value writes: filled in as text, like the names above. */
const rawJson = fc.constantFrom('1e400', '-0', '1e-400', '123456789012345678901234567890', 'DEEP', 'DEEPNOT', 'WIDE');
export const raw = rawJson.map((name) => `@@raw:${name}@@`);
const nested = (open: string, inner: string, close: string) => open.repeat(3_000) + inner + close.repeat(3_000);
const rawTexts: Readonly<Record<string, string>> = {
  DEEP: nested('{"a":[', '1', ']}'),
  DEEPNOT: nested('{"not":', '{"field":"a","equals":1}', '}'),
  WIDE: `[${'1,'.repeat(5_000)}1]`,
};
/** The same in a query, where names have no quotes. It is within what a query may have of tokens. */
const literalTexts: Readonly<Record<string, string>> = {
  DEEP: '{a:['.repeat(600) + ']}'.repeat(600),
  DEEPNOT: '{not:'.repeat(1_200) + '}'.repeat(1_200),
  WIDE: `[${'1,'.repeat(3_000)}1]`,
};

/** The text of a case, with what was only named in it. */
export function filled(text: string, names: Readonly<Record<KnownName, string>>): string {
  return text
    .replace(/"@@raw:([^@]+)@@"/g, (_whole, name: string) => rawTexts[name] ?? name)
    .replace(/@@literal:([^@]+)@@/g, (_whole, name: string) => literalTexts[name] ?? name)
    .replace(/(?:@@|%40%40)(\w+?)(?:@@|%40%40)/g, (whole, name: string) =>
      name in names ? names[name as KnownName] : whole,
    );
}
