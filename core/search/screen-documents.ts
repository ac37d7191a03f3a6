import { GatewayError } from '../contracts/gateway-error.ts';
import type { IngestFailureRecord } from '../contracts/run-store.ts';
import { assertStorable } from '../text/normalise.ts';
import { assertStorableJson } from '../text/storable-json.ts';

export interface DocumentInput {
  readonly externalId: string;
  readonly text: string;
  readonly title: string | null;
  readonly url: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Why it cannot be taken, where that was seen before; the rest of it is then not looked at. */
  readonly fault?: GatewayError;
}

/** Parts what can be taken from what cannot, before anything is stored: each bad document is a failure of its own. */
export function screenDocuments(
  documents: readonly DocumentInput[],
  limits: { readonly maxDocumentChars: number },
): { readonly accepted: readonly DocumentInput[]; readonly failures: readonly IngestFailureRecord[] } {
  const accepted = new Map<string, DocumentInput>();
  const failures: IngestFailureRecord[] = [];
  for (const document of documents) {
    try {
      if (document.fault) throw document.fault;
      checkDocument(document, limits.maxDocumentChars);
      if (accepted.has(document.externalId)) {
        throw new GatewayError('BAD_INPUT', 'externalId stands twice in this ingest; the first document was taken.');
      }
      accepted.set(document.externalId, document);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      failures.push({ externalId: printable(document.externalId), message: error.message });
    }
  }
  return { accepted: [...accepted.values()], failures };
}

function checkDocument({ externalId, text, title, url, metadata }: DocumentInput, maxChars: number): void {
  if (externalId === '' || externalId.length > 500) {
    throw new GatewayError('BAD_INPUT', `externalId must be 1–500 characters, got ${externalId.length}.`);
  }
  if (text.trim() === '') throw new GatewayError('BAD_INPUT', 'text must hold at least one word, got an empty text.');
  if (text.length > maxChars) {
    throw new GatewayError(
      'BAD_INPUT',
      `text must be at most ${maxChars} characters (limits.maxDocumentChars), got ${text.length}.`,
    );
  }
  if (title !== null && title.length > 1_000) {
    throw new GatewayError('BAD_INPUT', `title must be at most 1000 characters, got ${title.length}.`);
  }
  assertStorable(externalId, 'externalId');
  assertStorable(text, 'text');
  if (title !== null) assertStorable(title, 'title');
  if (url !== null) assertStorable(url, 'url');
  assertStorableJson(metadata, 'metadata', { maxChars: 100_000, maxDepth: 50 });
}

/** The failing id itself may be what cannot be stored. */
const printable = (externalId: string): string => externalId.slice(0, 500).toWellFormed().replaceAll('\0', '\uFFFD');
