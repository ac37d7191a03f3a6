/** A vector as pgvector reads it. The driver would send a Float32Array as raw bytes. */
export function vectorText(vector: Float32Array): string {
  return `[${vector.join(',')}]`;
}

/**
 * What `vector_send` gives: two 16-bit words (the length and nothing), then the components as 32-bit floats, all big-endian. A
 * third of the size of the text, and many times faster to read.
 */
export function vectorOf(bytes: Buffer): Float32Array {
  const vector = new Float32Array(bytes.readUInt16BE(0));
  for (let index = 0; index < vector.length; index += 1) vector[index] = bytes.readFloatBE(4 + 4 * index);
  return vector;
}
