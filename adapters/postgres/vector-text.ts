/** A vector as pgvector reads it. The driver would send a Float32Array as raw bytes. */
export function vectorText(vector: Float32Array): string {
  return `[${vector.join(',')}]`;
}
