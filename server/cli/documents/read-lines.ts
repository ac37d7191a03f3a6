import { createReadStream } from 'node:fs';

const newline = 0x0a;

export interface FileLine {
  /** 1, 2, 3 … */
  readonly number: number;
  /** Without the line break; null when the line is longer than was allowed. */
  readonly bytes: Uint8Array | null;
}

/**
 * A file's lines as bytes, so that each can be decoded by itself. Holds one chunk and at most `maxBytes` of a line;
 * node:readline would gather an endless line until the memory is full.
 */
export async function* readLines(path: string, maxBytes: number): AsyncGenerator<FileLine> {
  const input: AsyncIterable<Buffer> = createReadStream(path, { highWaterMark: 262_144 });
  let number = 1;
  let parts: Buffer[] = [];
  let size = 0;
  const add = (part: Buffer) => {
    size += part.length;
    if (size <= maxBytes) parts.push(part);
    else parts = [];
  };
  const take = (): FileLine => {
    const line = { number, bytes: size <= maxBytes ? Buffer.concat(parts) : null };
    number += 1;
    parts = [];
    size = 0;
    return line;
  };
  for await (const chunk of input) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      add(chunk.subarray(start, end));
      yield take();
      start = end + 1;
    }
    add(chunk.subarray(start));
  }
  if (size > 0) yield take();
}
