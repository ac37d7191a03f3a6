import { GatewayError } from '../contracts/gateway-error.ts';

/**
 * The one form in which text is hashed, split and stored: Unicode NFC, LF line ends, no byte order mark, no spaces at
 * the ends of lines, nothing blank at the end. Applying it twice changes nothing.
 */
export function normaliseText(text: string): string {
  const lines = text
    .replace(/^\uFEFF+/, '')
    .normalize('NFC')
    // A form feed parts the pages of text taken out of a PDF.
    .split(/\r\n|[\n\r\f\u2028\u2029]/);
  // Line by line, not by /\s+$/gm: that takes quadratic time on a long run of spaces.
  return lines
    .map((line) => line.trimEnd())
    .join('\n')
    .trimEnd();
}

/** Whether PostgreSQL could store `text`: it holds no NUL and no half of a surrogate pair. */
export function isStorable(text: string): boolean {
  return !text.includes('\u0000') && text.isWellFormed();
}

/** Throws BAD_INPUT, with the place, for what is not storable. */
export function assertStorable(text: string, name: string): void {
  const nul = text.indexOf('\u0000');
  if (nul >= 0) throw unstorable(name, nul, 'a NUL character');
  if (text.isWellFormed()) return;
  throw unstorable(name, text.search(/\p{Surrogate}/u), 'a lone surrogate (half of a character)');
}

function unstorable(name: string, position: number, what: string): GatewayError {
  return new GatewayError('BAD_INPUT', `${name} must be text that can be stored, got ${what} at position ${position}`);
}
