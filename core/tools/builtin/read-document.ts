import type { CollectionStore } from '../../contracts/collection-store.ts';
import type { DocumentRecord, DocumentStore } from '../../contracts/document-store.ts';
import type { Json } from '../../contracts/filter.ts';
import { GatewayError } from '../../contracts/gateway-error.ts';
import type { Tool } from '../../contracts/tool.ts';
import { collectionNotFound } from '../../search/search.ts';
import { assertStorable } from '../../text/normalise.ts';

export interface ReadServices {
  readonly collections: CollectionStore;
  readonly documents: Pick<DocumentStore, 'byIds' | 'byExternalIds' | 'passagesOf'>;
}

const most = 20;
const usual = { in: 'default', first: 8 };

/** A document passage by passage: what a search has found one piece of. */
export function readDocumentTool(services: ReadServices): Tool {
  return {
    name: 'read_document',
    description:
      'Reads a document from its beginning or from a passage on. Name it by documentId, as search returns it, or by its externalId in a collection.',
    parameters: {
      type: 'object',
      properties: {
        documentId: { type: 'string', minLength: 1 },
        externalId: { type: 'string', minLength: 1 },
        in: { type: 'string', minLength: 1, description: `Collection of externalId; ${usual.in} when left out` },
        from: { type: 'integer', minimum: 0, description: 'Position of the first passage; 0 when left out' },
        first: { type: 'integer', minimum: 1, maximum: most, description: `How many; ${usual.first} when left out` },
      },
      oneOf: [{ required: ['documentId'] }, { required: ['externalId'] }],
      additionalProperties: false,
    },
    requiresApproval: false,
    source: 'BUILTIN',
    changesWorld: false,
    timeoutMs: 15_000,
    resultSchema: null,
    async call(args, { tenant, signal }) {
      const document = await find(services, args, tenant, signal);
      const from = Number(args['from'] ?? 0);
      const page = { first: Number(args['first'] ?? usual.first), after: from === 0 ? null : [from - 1] };
      const [slice] = await services.documents.passagesOf(tenant, [document.id], page, signal);
      const { externalId, title, url } = document;
      const passages = (slice?.items ?? []).map(({ item: { id, position, text } }) => ({
        passageId: id,
        position,
        text,
      }));
      const last = passages.at(-1);
      return {
        value: {
          ...{ documentId: document.id, externalId, title, url, passages },
          totalPassages: slice?.totalCount ?? 0,
          // What `from` is to be, to read on.
          next: slice?.hasNext && last !== undefined ? last.position + 1 : null,
        },
        sources: passages.map(({ passageId, text }) => ({ passageId, title, url, text })),
      };
    },
  };
}

async function find(
  { collections, documents }: ReadServices,
  { documentId, externalId, in: name = usual.in }: Readonly<Record<string, Json>>,
  tenant: string,
  signal: AbortSignal,
): Promise<DocumentRecord> {
  if (typeof documentId === 'string') {
    const [document] = await documents.byIds(tenant, [documentId], signal);
    return document ?? notFound(`documentId ${JSON.stringify(documentId.slice(0, 100))}`);
  }
  const given = String(externalId);
  assertStorable(given, 'externalId');
  assertStorable(String(name), 'in');
  const [collection] = await collections.byNames(tenant, [String(name)], signal);
  if (collection === undefined) throw collectionNotFound(String(name));
  const [document] = await documents.byExternalIds(tenant, collection.id, [given], signal);
  return document ?? notFound(`externalId ${JSON.stringify(given.slice(0, 100))} in ${collection.name}`);
}

function notFound(what: string): never {
  throw new GatewayError('NOT_FOUND', `There is no document with ${what}.`);
}
