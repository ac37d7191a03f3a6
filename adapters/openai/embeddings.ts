import type { EmbedReply } from '../../core/contracts/model-provider.ts';
import { isRecord, malformed, type Upstream } from './upstream.ts';
import { count, readBody } from './wire-reply.ts';

const BYTES_PER_FLOAT = 4;

/** The body of an answer to POST /embeddings, for so many texts. */
export function readEmbeddings(text: string, texts: number, upstream: Upstream): EmbedReply {
  const body = readBody(text, upstream);
  const data = body['data'];
  if (!Array.isArray(data)) throw malformed(upstream, '`data` with the vectors', text);
  if (data.length !== texts) throw malformed(upstream, `${texts} vectors, one per text`, `${data.length}`);

  const vectors = new Array<Float32Array | undefined>(texts).fill(undefined);
  for (const [position, item] of data.entries()) {
    const index: unknown = isRecord(item) ? (item['index'] ?? position) : undefined;
    if (!isRecord(item) || typeof index !== 'number' || !(index in vectors) || vectors[index] !== undefined) {
      throw malformed(upstream, `each \`index\` of 0–${texts - 1} once`, `${JSON.stringify(index)} at ${position}`);
    }
    vectors[index] = readVector(item['embedding'], `data[${position}].embedding`, upstream);
  }
  const ordered = vectors.filter((vector) => vector !== undefined);
  const length = ordered[0]?.length ?? 0;
  const odd = ordered.find((vector) => vector.length !== length);
  if (odd !== undefined) throw malformed(upstream, `vectors of one length (${length})`, `one of ${odd.length}`);
  const usage = body['usage'];
  return { vectors: ordered, tokens: isRecord(usage) ? count(usage['prompt_tokens'] ?? usage['total_tokens']) : null };
}

/** Base64 of little-endian floats, as asked for, or the array that servers send that do not know `encoding_format`. */
function readVector(sent: unknown, path: string, upstream: Upstream): Float32Array {
  const vector = typeof sent === 'string' ? decode(sent) : Array.isArray(sent) ? fromArray(sent) : null;
  if (vector === null || vector.length === 0) {
    throw malformed(upstream, `${path} as base64 or an array of numbers`, JSON.stringify(sent) ?? 'nothing');
  }
  const fault = vector.findIndex((value) => !Number.isFinite(value));
  if (fault >= 0) throw malformed(upstream, `finite numbers in ${path}`, `${vector[fault]} at ${fault}`);
  return vector;
}

function decode(base64: string): Float32Array | null {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length % BYTES_PER_FLOAT !== 0) return null;
  const vector = new Float32Array(bytes.length / BYTES_PER_FLOAT);
  // Not a view: a pooled buffer starts at any byte, and holds other people's data.
  for (let index = 0; index < vector.length; index++) vector[index] = bytes.readFloatLE(index * BYTES_PER_FLOAT);
  return vector;
}

/** NaN for what is no number: `Number(null)` would be a silent 0. */
function fromArray(values: readonly unknown[]): Float32Array {
  return Float32Array.from(values, (value) => (typeof value === 'number' ? value : Number.NaN));
}
