import { ingest, type TestGateway } from '../../helpers/gateway.ts';

/** Things of four kinds; the vendor's vectors are near to each other where texts share words. */
export const records = [
  ['jazz-trio', 'Midnight Trio', 'Jazz for piano, bass and drums, recorded live in a small club.', { price: 12 }],
  ['jazz-sax', 'Blue Saxophone', 'Jazz for saxophone and piano, slow ballads for late nights.', { price: 15 }],
  ['jazz-big-band', 'Brass Parade', 'Jazz of a big band with trumpets, piano and swing drums.', { price: 18 }],
  ['jazz-vocal', 'Velvet Voice', 'Jazz songs with voice, piano and bass, standards of the club.', { price: 11 }],
  ['rock-garage', 'Garage Noise', 'Rock with loud guitars and heavy drums from a garage.', { price: 9 }],
  ['rock-stadium', 'Stadium Lights', 'Rock anthems with electric guitars for stadium crowds.', { price: 14 }],
  ['rock-metal', 'Iron Hammer', 'Heavy metal rock with fast guitars and screams.', { price: 13 }],
  ['garden-rose', 'The Rose Book', 'Garden roses: planting, pruning and watering through the seasons.', { price: 25 }],
  ['garden-herb', 'Herbs on the Sill', 'Garden herbs in pots: planting, watering and harvest of basil.', { price: 8 }],
  ['garden-tree', 'Small Trees', 'Garden trees: planting and pruning of apple and pear trees.', { price: 22 }],
] as const;

export async function stockShop(gateway: TestGateway, collection: string): Promise<void> {
  await gateway.data(`mutation ($name: String!) { createCollection(input: { name: $name }) { collection { id } } }`, {
    name: collection,
  });
  await ingest(
    gateway,
    records.map(([externalId, title, text, metadata]) => ({ externalId, title, text, metadata })),
    collection,
  );
}

export interface Profile {
  readonly id: string;
  readonly externalId: string;
  readonly interests: readonly string[];
  readonly metadata: unknown;
  readonly interactionCount: number;
}

export async function makeProfile(
  gateway: TestGateway,
  input: { readonly externalId: string; readonly interests?: readonly string[] | null; readonly metadata?: unknown },
): Promise<Profile> {
  const { upsertProfile } = await gateway.data<{ upsertProfile: { profile: Profile } }, unknown>(
    `mutation ($input: UpsertProfileInput!) {
      upsertProfile(input: $input) { profile { id externalId interests metadata interactionCount } }
    }`,
    { input },
  );
  return upsertProfile.profile;
}

export interface Interaction {
  readonly id?: string;
  readonly externalId: string;
  readonly kind: 'VIEW' | 'LIKE' | 'DISLIKE' | 'PURCHASE';
  readonly at?: string;
}

export const recordOperation = `mutation ($input: RecordInteractionsInput!) {
  recordInteractions(input: $input) { recorded failures { index externalId message } profile { id interactionCount } }
}`;

export interface Recorded {
  readonly recordInteractions: {
    readonly recorded: number;
    readonly failures: readonly { readonly index: number; readonly externalId: string; readonly message: string }[];
    readonly profile: { readonly id: string; readonly interactionCount: number };
  };
}

export async function record(
  gateway: TestGateway,
  { id: profile }: Pick<Profile, 'id'>,
  collection: string,
  ...interactions: readonly Interaction[]
): Promise<Recorded['recordInteractions']> {
  const input = { profile, in: collection, interactions };
  return (await gateway.data<Recorded, unknown>(recordOperation, { input })).recordInteractions;
}

export const listFields = `edges { cursor score node { externalId title } because { externalId } }
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor }`;

export interface List {
  readonly edges: readonly {
    readonly cursor: string;
    readonly score: number;
    readonly node: { readonly externalId: string; readonly title: string };
    readonly because: readonly { readonly externalId: string }[];
  }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly hasPreviousPage: boolean; readonly endCursor: string };
}

export const recommendOperation = `query ($profile: ID!, $in: String!, $first: Int, $after: String, $filter: MetadataFilter) {
  recommendations(profile: $profile, in: $in, first: $first, after: $after, filter: $filter) { ${listFields} }
}`;

export async function recommend(
  gateway: TestGateway,
  { id: profile }: Pick<Profile, 'id'>,
  collection: string,
  rest: Readonly<Record<string, unknown>> = {},
): Promise<List> {
  const variables = { profile, in: collection, ...rest };
  return (await gateway.data<{ recommendations: List }, unknown>(recommendOperation, variables)).recommendations;
}

export const idsOf = ({ edges }: List): string[] => edges.map(({ node }) => node.externalId);
