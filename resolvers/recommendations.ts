import type { Context } from '../context.ts';
import type { DocumentRecord } from '../core/contracts/document-store.ts';
import type { ProfileRecord } from '../core/contracts/profile-store.ts';
import type { ExplainedPage } from '../core/recommend/explain.ts';
import { profileNotFound, type Recommendation } from '../core/recommend/recommend.ts';
import {
  type InteractionInput,
  type RecordedInteractions,
  recordInteractions as recordInCore,
} from '../core/recommend/record-interactions.ts';
import { upsertProfile as upsertInCore } from '../core/recommend/upsert-profile.ts';
import { type MetadataFilterInput, parseMetadataFilter } from '../core/search/metadata-filter.ts';
import { assertStorable } from '../core/text/normalise.ts';
import { jsonObject } from './chat.ts';
import { type Connection, type PageArgs, pageInfoOf } from './connection.ts';
import { orNull } from './found.ts';
import { decodeId } from './global-id.ts';

export interface RecommendationArgs extends PageArgs {
  readonly in: string;
  readonly filter?: MetadataFilterInput | null | undefined;
  /** Whether the documents of `because` will be asked for: then they are read together with the items. */
  readonly wantsReasons: boolean;
}

export interface RecommendationEdge extends Recommendation {
  readonly node: DocumentRecord;
  readonly page: ExplainedPage;
  /** Its place in the page. */
  readonly place: number;
}

export async function recommend(
  profileId: string,
  { first, after, filter, wantsReasons, ...args }: RecommendationArgs,
  { loaders }: Context,
): Promise<Connection<DocumentRecord, RecommendationEdge>> {
  // Before the loader makes a key of it: a filter that is nested some thousand deep takes any recursion's stack.
  if (filter != null) parseMetadataFilter(filter);
  const request = { profileId, in: args.in, first, after: after ?? null, filter: filter ?? null };
  const { recommendations, ...result } = await loaders.recommendation.load(request);
  const reasons = wantsReasons ? recommendations.flatMap(reasonIdsOf) : [];
  const [documents] = await Promise.all([
    loadAll(
      recommendations.map(({ documentId }) => documentId),
      loaders,
    ),
    loadAll(reasons, loaders),
  ]);
  // One that was deleted a moment ago is not shown.
  const items = recommendations.flatMap((recommendation, index) => {
    const document = documents[index];
    return document == null ? [] : [{ ...recommendation, document }];
  });
  const page: ExplainedPage = { items };
  const edges = items.map(({ document, ...item }, place) => ({ ...item, node: document, page, place }));
  return { edges, pageInfo: pageInfoOf(edges, result) };
}

export function recommendById(
  { profile, ...args }: RecommendationArgs & { readonly profile: string },
  context: Context,
): Promise<Connection<DocumentRecord, RecommendationEdge>> {
  return recommend(decodeId('Profile', profile, 'profile'), args, context);
}

export async function becauseOf(edge: RecommendationEdge, { loaders }: Context): Promise<DocumentRecord[]> {
  return (await loadAll(reasonIdsOf(edge), loaders)).filter((document) => document !== null);
}

function reasonIdsOf({ because }: Recommendation): string[] {
  return because.flatMap(({ of }) => ('documentId' in of ? [of.documentId] : []));
}

/** Null for what has been deleted meanwhile. */
function loadAll(ids: readonly string[], loaders: Context['loaders']): Promise<(DocumentRecord | null)[]> {
  return Promise.all(ids.map((id) => orNull(loaders.document.load(id))));
}

export async function explanationOf({ page, place }: RecommendationEdge, { loaders }: Context): Promise<string> {
  return (await loaders.explanation.load(page))[place] ?? '';
}

export async function findProfile(
  { externalId }: { readonly externalId: string },
  { loaders }: Context,
): Promise<ProfileRecord | null> {
  // Before the loader puts it into one statement with the names of the other aliases.
  assertStorable(externalId, 'externalId');
  return orNull(loaders.profileByExternalId.load(externalId));
}

export function upsertProfile(
  input: {
    readonly externalId: string;
    readonly interests?: readonly string[] | null | undefined;
    readonly metadata?: unknown;
  },
  { services, principal }: Context,
): Promise<ProfileRecord> {
  return upsertInCore(services, principal.tenant, {
    externalId: input.externalId,
    interests: input.interests ?? null,
    metadata: jsonObject(input.metadata, 'metadata'),
  });
}

export interface RecordInteractionsArgs {
  readonly profile: string;
  readonly in: string;
  readonly interactions: readonly (Pick<InteractionInput, 'externalId' | 'kind'> & {
    readonly id?: string | null | undefined;
    readonly at?: Date | null | undefined;
  })[];
}

export async function recordInteractions(
  { profile: globalId, in: collection, interactions }: RecordInteractionsArgs,
  { services, principal, signal }: Context,
): Promise<RecordedInteractions & { readonly profile: ProfileRecord }> {
  const profileId = decodeId('Profile', globalId, 'profile');
  const recorded = await recordInCore(
    services,
    principal.tenant,
    {
      ...{ profileId, in: collection },
      interactions: interactions.map(({ id, externalId, kind, at }) => ({
        ...{ externalId, kind, at: at ?? null },
        id: id?.toLowerCase() ?? null,
      })),
    },
    signal,
  );
  const [profile] = await services.profiles.byIds(principal.tenant, [profileId], signal);
  if (profile === undefined) throw profileNotFound();
  return { ...recorded, profile };
}

export async function deleteProfile(
  { id }: { readonly id: string },
  { services, principal }: Context,
): Promise<{ readonly deletedCount: number }> {
  if (!(await services.profiles.delete(principal.tenant, decodeId('Profile', id, 'id')))) throw profileNotFound();
  return { deletedCount: 1 };
}
