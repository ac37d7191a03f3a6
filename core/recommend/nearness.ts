import type { Evidence, Opinions } from './evidence.ts';
import { dot, scaled, scaleOf } from './similarity.ts';

interface Item {
  readonly documentId: string;
  /** Of length 1; null while the document has none. */
  readonly vector: Float32Array | null;
}

/** How near each item is to each like and each dislike, 0..1, in their orders. */
export interface Nearness {
  readonly likes: readonly number[];
  readonly dislikes: readonly number[];
}

/**
 * Documents are compared with documents and interests with documents on scales of their own: a few words are never as near to a
 * text as another text is. An item is not near to itself: it is no evidence for itself.
 */
export function nearnessOf(items: readonly Item[], { likes, dislikes }: Opinions): Nearness[] {
  const interests = likes.filter(isInterest);
  const documents = likes.filter((like) => !isInterest(like));
  const toInterests = scaledTable(items, interests);
  const toDocuments = scaledTable(items, [...documents, ...dislikes]);
  return items.map((_, at) => {
    const [ofInterests = [], ofDocuments = []] = [toInterests[at], toDocuments[at]];
    const places = { interest: 0, document: 0 };
    const ofLikes = likes.map((like) =>
      isInterest(like) ? (ofInterests[places.interest++] ?? 0) : (ofDocuments[places.document++] ?? 0),
    );
    return { likes: ofLikes, dislikes: ofDocuments.slice(documents.length) };
  });
}

export const isInterest = ({ of }: Evidence): boolean => 'interest' in of;

type Point = Pick<Evidence, 'vector'> & Partial<Pick<Evidence, 'of'>>;

function scaledTable(items: readonly Item[], points: readonly Point[]): number[][] {
  const table = items.map(({ documentId, vector }) =>
    points.map(({ vector: point, of }) => {
      const isItself = of !== undefined && 'documentId' in of && of.documentId === documentId;
      return vector === null || isItself ? null : dot(vector, point);
    }),
  );
  const scale = scaleOf(table.flatMap((own) => own.filter((cosine) => cosine !== null)));
  return table.map((own) => own.map((cosine) => (cosine === null ? 0 : scaled(cosine, scale))));
}
