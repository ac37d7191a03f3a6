/**
 * The same direction, of length 1 to three digits, as the vectors of most models are, and those that were stored with few digits; a
 * vector of zeros has none and stays as it is.
 */
export function unit(vector: Float32Array): Float32Array {
  const length = Math.sqrt(dot(vector, vector));
  const isFine = length === 0 || Math.abs(length - 1) < 1e-3;
  return isFine ? vector : vector.map((component) => component / length);
}

/** Of two unit vectors of one length: their cosine. */
export function dot(left: Float32Array, right: Float32Array): number {
  putDot(only, 0, left, right);
  return only[0] ?? 0;
}

const only = new Float64Array(1);

/**
 * `dot`, written into a table: a number that a long function returns is an object to collect, and a page compares some ten thousand times.
 * In four sums, which the processor adds side by side: one would wait for itself at every component.
 */
export function putDot(into: Float64Array, place: number, left: Float32Array, right: Float32Array): void {
  const { length } = left;
  const whole = length - (length % 4);
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  for (let index = 0; index < whole; index += 4) {
    a += (left[index] ?? 0) * (right[index] ?? 0);
    b += (left[index + 1] ?? 0) * (right[index + 1] ?? 0);
    c += (left[index + 2] ?? 0) * (right[index + 2] ?? 0);
    d += (left[index + 3] ?? 0) * (right[index + 3] ?? 0);
  }
  for (let index = whole; index < length; index += 1) a += (left[index] ?? 0) * (right[index] ?? 0);
  into[place] = a + b + c + d;
}

/** Where cosines of one kind begin to mean something, and how high they go here. */
export interface Scale {
  readonly typical: number;
  readonly highest: number;
}

const sampled = 2_000;

/**
 * Models differ in what cosine they give two texts that have nothing to do with each other: 0.1 with one, 0.7 with another. So
 * a similarity counts from the median of what is compared, up to the highest.
 */
export function scaleOf(cosines: Float64Array): Scale {
  const step = Math.ceil(cosines.length / sampled);
  const sorted = new Float64Array(Math.ceil(cosines.length / Math.max(1, step)));
  let highest = -1;
  for (let place = 0; place < cosines.length; place += 1) {
    const cosine = cosines[place] ?? 0;
    if (place % step === 0) sorted[place / step] = cosine;
    if (cosine > highest) highest = cosine;
  }
  sorted.sort();
  return { typical: sorted[sorted.length >> 1] ?? 0, highest };
}

/** 0: no nearer than most; 1: as near as anything here. */
export function scaled(cosine: number, { typical, highest }: Scale): number {
  if (highest <= typical) return cosine >= highest ? 1 : 0;
  return Math.max(0, Math.min(1, (cosine - typical) / (highest - typical)));
}
