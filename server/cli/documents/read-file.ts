import { readFile as read } from 'node:fs/promises';
import { DocumentFault, type SourceFile } from './parsed.ts';

/** A whole file, when it is not larger than its parser can take. */
export async function readFile(file: SourceFile, maxBytes: number): Promise<Uint8Array> {
  if (file.bytes > maxBytes) {
    throw new DocumentFault(`has ${file.bytes} bytes, at most ${maxBytes} are read of a ${file.type} file: split it`);
  }
  const buffer = await read(file.absolutePath);
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
