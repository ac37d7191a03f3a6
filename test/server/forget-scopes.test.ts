import { RequestCache } from '@pothos/plugin-scope-auth';
import { createYoga, type Plugin } from 'graphql-yoga';
import { expect, test } from 'vitest';
import type { Context } from '../../context.ts';
import { builder } from '../../schema/builder.ts';
import { schema } from '../../schema/index.ts';
import { forgetScopes } from '../../server/forget-scopes.ts';

const cacheOf = (context: Context): unknown => RequestCache.fromContext(context, builder as never);

test('what was known of the scopes of an operation is forgotten when it has ended, and not before', async () => {
  const contexts: Context[] = [];
  const during: unknown[] = [];
  const remember: Plugin<Context> = {
    onExecute({ args: { contextValue } }) {
      contexts.push(contextValue);
      during.push(cacheOf(contextValue));
    },
  };
  const yoga = createYoga<object, Context>({
    schema,
    logging: false,
    plugins: [forgetScopes, remember],
  });
  const response = await yoga.fetch('http://sluice/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"query":"{ __typename }"}',
  });
  expect(await response.json()).toEqual({ data: { __typename: 'Query' } });
  const [context] = contexts;
  if (context === undefined) return expect.unreachable();
  expect(cacheOf(context)).not.toBe(during[0]);
  expect(cacheOf(context)).toBe(cacheOf(context));
});
