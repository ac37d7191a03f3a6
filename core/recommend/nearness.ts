import type { Evidence, Opinions } from './evidence.ts';
import { putDot, scaled, scaleOf } from './similarity.ts';

interface Item {
  readonly documentId: string;
  /** Of length 1; null while the document has none. */
  readonly vector: Float32Array | null;
}

type Point = Pick<Evidence, 'vector'> & Partial<Pick<Evidence, 'of'>>;

/** Not compared. */
const none = Number.NaN;

/**
 * How near each item is to each like and, after these, each dislike, 0..1, all in their orders. One flat table: a page is made of some
 * thousand of these numbers, which as lists of lists would have to be collected.
 *
 * Documents are compared with documents and interests with documents on scales of their own: a few words are never as near to a
 * text as another text is. An item is not near to itself: it is no evidence for itself.
 */
export class Nearness {
  readonly #items: number;
  readonly #likes: number;
  readonly #points: number;
  /** A row for each item. */
  readonly #values: Float64Array;

  constructor(items: readonly Item[], { likes, dislikes }: Opinions) {
    const points: readonly Point[] = [...likes, ...dislikes];
    this.#items = items.length;
    this.#likes = likes.length;
    this.#points = points.length;
    this.#values = new Float64Array(items.length * points.length).fill(none);
    items.forEach((item, row) => {
      this.#compare(row, item, points);
    });
    const columns = Map.groupBy(points.keys(), (column) => isInterest(points[column]));
    for (const ofKind of columns.values()) this.#scale(ofKind);
  }

  toLike(item: number, like: number): number {
    return this.#values[item * this.#points + like] ?? 0;
  }

  toDislike(item: number, dislike: number): number {
    return this.toLike(item, this.#likes + dislike);
  }

  #compare(row: number, { documentId, vector }: Item, points: readonly Point[]): void {
    if (vector === null) return;
    const first = row * this.#points;
    points.forEach(({ vector: point, of }, column) => {
      const isItself = of !== undefined && 'documentId' in of && of.documentId === documentId;
      if (!isItself) putDot(this.#values, first + column, vector, point);
    });
  }

  /** The columns of one kind, on one scale. */
  #scale(columns: readonly number[]): void {
    const cosines = new Float64Array(this.#items * columns.length);
    let compared = 0;
    for (let row = 0; row < this.#items; row += 1) {
      for (const column of columns) {
        const cosine = this.#values[row * this.#points + column] ?? none;
        if (!Number.isNaN(cosine)) cosines[compared++] = cosine;
      }
    }
    const scale = scaleOf(cosines.subarray(0, compared));
    for (let row = 0; row < this.#items; row += 1) {
      for (const column of columns) {
        const place = row * this.#points + column;
        const cosine = this.#values[place] ?? none;
        this.#values[place] = Number.isNaN(cosine) ? 0 : scaled(cosine, scale);
      }
    }
  }
}

const isInterest = (point: Point | undefined): boolean => point?.of !== undefined && 'interest' in point.of;
