import { expect, it } from 'vitest';
import { chatInput } from '../../resolvers/chat.ts';

it('takes three passages of a document unless told otherwise, and all for null', () => {
  const perDocument = (retrieval: { perDocument?: number | null }) =>
    chatInput({ message: 'Why?', retrieval }).retrieval?.perDocument;
  expect(perDocument({})).toBe(3);
  expect(perDocument({ perDocument: 1 })).toBe(1);
  expect(perDocument({ perDocument: null })).toBeNull();
});
