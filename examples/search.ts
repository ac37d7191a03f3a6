/**
 * Two searches in one operation, over plain fetch: they share one embeddings call and one SQL statement.
 *
 *     node examples/search.ts "how do I resume a stream?" "limits of an ingest"
 */
const endpoint = process.env['SLUICE_URL'] ?? 'http://127.0.0.1:4000/graphql';
const apiKey = process.env['SLUICE_API_KEY'];

const operation = /* GraphQL */ `
  query SearchTwice($first: String!, $second: String!) {
    first: search(query: $first, first: 3) { ...Hits }
    second: search(query: $second, first: 3) { ...Hits }
  }
  fragment Hits on SearchConnection {
    edges {
      score
      node {
        text
        document {
          externalId
          title
        }
      }
    }
  }
`;

interface Hits {
  readonly edges: readonly {
    readonly score: number;
    readonly node: {
      readonly text: string;
      readonly document: { readonly externalId: string; readonly title: string | null };
    };
  }[];
}
/** Each search is nullable: one that fails leaves the other whole, and its error stands in `errors`. */
interface Reply {
  readonly data?: { readonly first: Hits | null; readonly second: Hits | null } | null;
  readonly errors?: readonly { readonly message: string; readonly path?: readonly (string | number)[] }[];
}

const [first = 'how do I resume a stream?', second = 'limits of an ingest'] = process.argv.slice(2);
const response = await fetch(endpoint, {
  method: 'POST',
  headers: { 'content-type': 'application/json', ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}) },
  body: JSON.stringify({ query: operation, variables: { first, second } }),
  signal: AbortSignal.timeout(30_000),
});
const reply = (await response.json()) as Reply; // what the operation above selects

for (const { message, path } of reply.errors ?? []) console.error(`${path?.join('.') ?? 'operation'}: ${message}`);
print(first, reply.data?.first ?? null);
print(second, reply.data?.second ?? null);

function print(query: string, hits: Hits | null): void {
  console.log(`\n${query}`);
  for (const { score, node } of hits?.edges ?? []) {
    const { title, externalId } = node.document;
    console.log(`  ${score.toFixed(2)}  ${title ?? externalId}: ${node.text.slice(0, 80).replace(/\s+/g, ' ')}…`);
  }
}
