import { type SQL, sql } from './drizzle.ts';

/** Two 16-bit words come first: the length, and nothing. */
const headerBytes = 4;

/**
 * The direction of a vector as text: of length 1, in 16-bit floats, three digits of each component. A third of what the bytes of the
 * whole vector are on their way, which the driver is sent as hexadecimal digits.
 */
export function directionText(vector: SQL): SQL {
  // Of length 1, since pgvector refuses what 16 bits cannot hold, 65,504 and more.
  return sql`encode(halfvec_send(l2_normalize(${vector})::halfvec), 'base64')`;
}

/** What `directionText` gives. */
export function directionOf(text: string): Float32Array {
  const bytes = Buffer.from(text, 'base64');
  const vector = new Float32Array((bytes.length - headerBytes) / 2);
  for (let index = 0, offset = headerBytes; index < vector.length; index += 1, offset += 2)
    vector[index] = floats[((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0)] ?? 0;
  return vector;
}

/** What each 16-bit float is: Node 22 has no Float16Array, and to look one up is faster than to compute it. */
const floats = Float32Array.from({ length: 0x1_00_00 }, (_, bits) => floatOf(bits));

function floatOf(bits: number): number {
  const [exponent, fraction] = [(bits >> 10) & 0x1f, bits & 0x3ff];
  const size = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return bits & 0x80_00 ? -size : size;
}
