import { randomUUID } from 'node:crypto';
import type { Context } from '../context.ts';
import { GatewayError } from '../core/contracts/gateway-error.ts';
import type { RunRecord } from '../core/contracts/run-store.ts';
import { startIngest as startIngestInCore } from '../core/search/ingest-run.ts';
import type { DocumentInput } from '../core/search/screen-documents.ts';
import { jsonObject } from './chat.ts';

export interface StartIngestArgs {
  readonly runId?: string | null | undefined;
  readonly in?: string | null | undefined;
  readonly documents: readonly {
    readonly externalId: string;
    readonly text: string;
    readonly title?: string | null | undefined;
    readonly url?: string | null | undefined;
    readonly metadata?: unknown;
  }[];
}

export function startIngest(
  { input }: { readonly input: StartIngestArgs },
  { services, principal }: Context,
): Promise<RunRecord> {
  return startIngestInCore(services, principal, {
    runId: input.runId?.toLowerCase() ?? randomUUID(),
    in: input.in ?? 'default',
    documents: input.documents.map(({ externalId, text, title, url, metadata }) => ({
      ...{ externalId, text, title: title ?? null, url: url ?? null },
      ...metadataOf(metadata),
    })),
  });
}

/** One bad document is a failure of its own: the others are ingested all the same. */
function metadataOf(value: unknown): Pick<DocumentInput, 'metadata' | 'fault'> {
  try {
    return { metadata: jsonObject(value, 'metadata') ?? {} };
  } catch (fault) {
    if (!(fault instanceof GatewayError)) throw fault;
    return { metadata: {}, fault };
  }
}
