/**
 * Text of documents and models as a terminal may show it: without control characters other than line breaks and tabs.
 * An escape sequence in a document could otherwise move the cursor, rename the window or hide what was printed.
 */
export function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, '');
}

/** The same on one line. */
export function printableLine(text: string): string {
  return printable(text.replace(/\s+/gu, ' ')).trim();
}
