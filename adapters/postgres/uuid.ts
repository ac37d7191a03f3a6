import { randomBytes } from 'node:crypto';

const form = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function isUuid(value: unknown): value is string {
  return typeof value === 'string' && form.test(value);
}

/** Those that can be the id of a row. An id that comes from outside may be any text, which PostgreSQL would refuse. */
export function uuidsIn(ids: readonly string[]): string[] {
  return ids.filter(isUuid);
}

let lastMs = 0;
let counter = 0;

/**
 * UUID version 7 (RFC 9562): sorts by time of making, and within a process by order of making (its 12 bits after the
 * time count; an overflow borrows from the next millisecond).
 */
export function orderedUuid(): string {
  const now = Date.now();
  counter = now > lastMs ? 0 : counter + 1;
  lastMs = Math.max(now, lastMs);
  if (counter > 0xfff) {
    lastMs += 1;
    counter = 0;
  }
  const bytes = randomBytes(16);
  bytes.writeUIntBE(lastMs, 0, 6);
  bytes.writeUInt16BE(0x7000 | counter, 6);
  bytes.writeUInt8(0x80 | (bytes.readUInt8(8) & 0x3f), 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
