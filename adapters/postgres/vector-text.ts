/** A vector as pgvector reads it. The driver would send a Float32Array as raw bytes. */
export function vectorText(vector: Float32Array): string {
  return `[${vector.join(',')}]`;
}

const headerBytes = 4;

/**
 * What `vector_send` gives: two 16-bit words (the length and nothing), then the components as 32-bit floats, all big-endian. A
 * third of the size of the text, and many times faster to read.
 */
export function vectorOf(bytes: Buffer): Float32Array {
  // A copy of its own: the driver's buffer is larger, and need not begin where a float may.
  const { buffer } = new Uint8Array(bytes.subarray(headerBytes));
  Buffer.from(buffer).swap32();
  return new Float32Array(buffer);
}
