/**
 * A shop with recommendations, over plain fetch: it stocks its shelves, tells what two people did, and shows what suits them and why.
 * It can be run again: what is the same has the same name, and what was done again says no more than when it was done last.
 *
 *     node examples/shop.ts
 */
const endpoint = process.env['SLUICE_URL'] ?? 'http://127.0.0.1:4000/graphql';
const apiKey = process.env['SLUICE_API_KEY'];
const shop = 'example-shop';

const shelves = [
  ['kind-of-blue', 'Blue Hour', 'Quiet modal jazz: trumpet, saxophone, piano, bass and drums.'],
  ['piano-trio', 'Midnight Trio', 'A jazz piano trio, recorded live in a small club.'],
  ['big-band', 'Brass Parade', 'Swinging jazz of a big band with a wall of trumpets.'],
  ['garage-rock', 'Garage Noise', 'Loud guitars and heavy drums, recorded in a garage.'],
  ['stadium-rock', 'Stadium Lights', 'Rock anthems with electric guitars for large crowds.'],
  ['rose-book', 'The Rose Book', 'How to plant, prune and water roses through the seasons.'],
  ['herb-book', 'Herbs on the Sill', 'Growing basil, mint and thyme in pots in the kitchen window.'],
  ['tree-book', 'Small Trees', 'Planting and pruning apple and pear trees in small gardens.'],
] as const;

const people = {
  ann: {
    interests: [],
    did: [
      ['piano-trio', 'PURCHASE'],
      ['rose-book', 'LIKE'],
      ['garage-rock', 'DISLIKE'],
    ],
  },
  ben: { interests: ['loud electric guitars'], did: [] },
} as const;

interface Reply<T> {
  readonly data?: T | null;
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: string } }[];
}

async function ask<T>(query: string, variables: object, ignored?: string): Promise<T> {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}) },
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.timeout(60_000),
  });
  const { data, errors } = (await response.json()) as Reply<T>; // what the operation selects
  const unexpected = errors?.filter(({ extensions }) => extensions?.code !== ignored) ?? [];
  if (unexpected.length > 0 || !data) throw new Error(unexpected.map(({ message }) => message).join('\n'));
  return data;
}

await ask(
  'mutation ($name: String!) { createCollection(input: { name: $name }) { collection { id } } }',
  { name: shop },
  'CONFLICT',
);
await ask(
  `mutation ($in: String!, $documents: [DocumentInput!]!) {
    startIngest(input: { in: $in, documents: $documents }) { run { finished { status } } }
  }`,
  { in: shop, documents: shelves.map(([externalId, title, text]) => ({ externalId, title, text })) },
);

for (const [externalId, { interests, did }] of Object.entries(people)) {
  const { upsertProfile } = await ask<{ upsertProfile: { profile: { id: string } } }>(
    'mutation ($input: UpsertProfileInput!) { upsertProfile(input: $input) { profile { id } } }',
    { input: { externalId, interests } },
  );
  if (did.length === 0) continue;
  await ask('mutation ($input: RecordInteractionsInput!) { recordInteractions(input: $input) { recorded } }', {
    input: {
      profile: upsertProfile.profile.id,
      in: shop,
      interactions: did.map(([document, kind]) => ({ externalId: document, kind })),
    },
  });
}

interface Shown {
  readonly recommendations: {
    readonly edges: readonly {
      readonly score: number;
      readonly explanation: string;
      readonly node: { readonly title: string };
    }[];
  };
}
/** Both lists in one operation: one SQL statement for their candidates, whatever the number of people. */
const lists = await ask<Readonly<Record<keyof typeof people, Shown>>>(
  `query ($in: String!) { ann: profile(externalId: "ann") { ...Shown } ben: profile(externalId: "ben") { ...Shown } }
  fragment Shown on Profile {
    recommendations(in: $in, first: 3) { edges { score explanation node { title } } }
  }`,
  { in: shop },
);
for (const [name, { recommendations }] of Object.entries(lists)) {
  console.log(`\nFor ${name}:`);
  for (const { score, explanation, node } of recommendations.edges)
    console.log(`  ${score.toFixed(2)}  ${node.title.padEnd(18)} ${explanation}`);
}
