import type { TestGateway } from '../../helpers/gateway.ts';

export interface HitView {
  readonly cursor: string;
  readonly score: number;
  readonly vectorScore: number | null;
  readonly keywordScore: number | null;
  readonly highlights: readonly string[];
  readonly node: {
    readonly id: string;
    readonly text: string;
    readonly position: number;
    readonly document: { readonly externalId: string; readonly title: string | null };
  };
}

export interface ResultView {
  readonly edges: readonly HitView[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
  readonly timings: { readonly embedMs: number; readonly retrieveMs: number; readonly totalMs: number };
}

export const hitFields = `edges { cursor score vectorScore keywordScore highlights node { id text position document { externalId title } } }
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor } timings { embedMs retrieveMs totalMs }`;

/** Arguments of `search`; what is left out has its default. */
export type SearchVariables = Readonly<Record<string, unknown>> & { readonly query: string };

const types: Readonly<Record<string, string>> = {
  query: 'String!',
  in: 'String',
  first: 'Int',
  after: 'String',
  mode: 'SearchMode',
  filter: 'MetadataFilter',
  rerank: 'Boolean',
  perDocument: 'Int',
};

/** Only the given arguments stand in the operation, so that the schema's own defaults are what is tested. */
function operationOf(variables: SearchVariables): string {
  const names = Object.keys(variables);
  const declared = names.map((name) => `$${name}: ${types[name]}`).join(', ');
  return `query Search(${declared}) { search(${names.map((name) => `${name}: $${name}`).join(', ')}) { ${hitFields} } }`;
}

export async function search(gateway: TestGateway, variables: SearchVariables): Promise<ResultView> {
  return (await gateway.data<{ search: ResultView }, unknown>(operationOf(variables), variables)).search;
}

/** `CODE: message` of the one error that the search was refused with. */
export async function searchError(gateway: TestGateway, variables: SearchVariables): Promise<string> {
  const { data, errors } = await gateway.request<{ search: null }, unknown>(operationOf(variables), variables);
  const [error, ...more] = errors ?? [];
  if (error === undefined || more.length > 0)
    throw new Error(`expected one error: ${JSON.stringify({ data, errors })}`);
  return `${error.extensions.code}: ${error.message}`;
}

export const idsOf = ({ edges }: Pick<ResultView, 'edges'>): string[] =>
  edges.map(({ node }) => node.document.externalId);
