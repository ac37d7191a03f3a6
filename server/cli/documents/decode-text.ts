import { TextDecoder } from 'node:util';
import { DocumentFault } from './parsed.ts';

/**
 * Bytes as text: UTF-8, or UTF-16 when a byte order mark says so, or `label` when the format named its encoding.
 * Fails instead of putting replacement characters into an index.
 */
export function decodeText(bytes: Uint8Array, label = 'utf-8'): string {
  const encoding = markedEncoding(bytes) ?? label;
  let decoder: TextDecoder;
  try {
    decoder = new TextDecoder(encoding, { fatal: true });
  } catch {
    throw new DocumentFault(`is encoded as "${encoding}", which is unknown: convert it to UTF-8`);
  }
  try {
    return decoder.decode(bytes);
  } catch {
    throw new DocumentFault(`is not valid ${decoder.encoding.toUpperCase()}: convert it to UTF-8`);
  }
}

function markedEncoding(bytes: Uint8Array): string | null {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return null;
}
