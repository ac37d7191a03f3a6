import { GatewayError } from '../contracts/gateway-error.ts';
import { decodeCursor, encodeCursor } from '../pagination.ts';

/*
 * A place in a list that is made anew for each page cannot be a number: what a person does while it turns the pages changes their
 * order, and items would come twice or never. So a cursor holds what was shown up to it, four bytes of each document's id (of which 32
 * bits are random): no page repeats an item, and each is the best of what is left.
 */
const bytesPerItem = 4;

export interface ShownItems {
  has(documentId: string): boolean;
  readonly isEmpty: boolean;
  /** After these and the given ones. */
  cursor(scope: string, documentIds: readonly string[]): string;
}

export const nothingShown: ShownItems = shownItems(Buffer.alloc(0));

export function shownBefore(scope: string, after: string): ShownItems {
  const [marks, ...rest] = decodeCursor(scope, after);
  const bytes = typeof marks === 'string' ? Buffer.from(marks, 'base64url') : Buffer.alloc(0);
  const isCursor = bytes.length > 0 && bytes.length % bytesPerItem === 0 && rest.length === 0;
  if (isCursor) return shownItems(bytes);
  throw new GatewayError('BAD_INPUT', `after must be a cursor of this list, got "${after.slice(0, 40)}".`);
}

function shownItems(bytes: Buffer): ShownItems {
  const marks = new Set<number>();
  for (let offset = 0; offset < bytes.length; offset += bytesPerItem) marks.add(bytes.readUInt32BE(offset));
  return {
    isEmpty: marks.size === 0,
    has: (documentId) => marks.has(markOf(documentId).readUInt32BE(0)),
    cursor: (scope, documentIds) =>
      encodeCursor(scope, [Buffer.concat([bytes, ...documentIds.map(markOf)]).toString('base64url')]),
  };
}

const markOf = (documentId: string): Buffer => Buffer.from(documentId.slice(0, 2 * bytesPerItem), 'hex');
