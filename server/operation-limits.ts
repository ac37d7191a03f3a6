import { maxAliasesPlugin } from '@escape.tech/graphql-armor-max-aliases';
import { maxDepthPlugin } from '@escape.tech/graphql-armor-max-depth';
import { maxTokensPlugin } from '@escape.tech/graphql-armor-max-tokens';
import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Config } from './config/config-schema.ts';

/** Depth, aliases and tokens of an operation, decided before it is executed. Introspection passes the depth. */
export function operationLimits({ maxDepth, maxAliases, maxTokens }: Config['limits']): Plugin[] {
  const refuse = (limit: number, name: string) => ({
    propagateOnRejection: false,
    onReject: [
      (_context: unknown, error: GraphQLError) => {
        throw new GraphQLError(`${error.message.replace(/^Syntax Error: /, '')} (limits.${name})`, {
          extensions: { code: 'QUERY_TOO_COMPLEX', retryable: false, limit, ...costIn(error), http: { status: 400 } },
        });
      },
    ],
  });
  return [
    maxTokensPlugin({ n: maxTokens, ...refuse(maxTokens, 'maxTokens') }),
    maxDepthPlugin({ n: maxDepth, flattenFragments: true, ...refuse(maxDepth, 'maxDepth') }),
    maxAliasesPlugin({ n: maxAliases, ...refuse(maxAliases, 'maxAliases') }),
  ] as Plugin[]; // typed for an older @envelop/core, the same hooks
}

/** The rules say "limit of L exceeded, found F". */
function costIn({ message }: GraphQLError): { readonly cost?: number } {
  const [, cost] = /found (\d+)/.exec(message) ?? [];
  return cost === undefined ? {} : { cost: Number(cost) };
}
