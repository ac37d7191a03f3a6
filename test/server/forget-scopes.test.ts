import { RequestCache } from '@pothos/plugin-scope-auth';
import { createYoga, type Plugin } from 'graphql-yoga';
import { expect, test, vi } from 'vitest';
import type { Context } from '../../context.ts';
import { builder } from '../../schema/builder.ts';
import { schema } from '../../schema/index.ts';
import { forgetScopes } from '../../server/forget-scopes.ts';
import { startGatewayWithVendor } from '../helpers/gateway.ts';

const cacheOf = (context: Context): unknown => RequestCache.fromContext(context, builder as never);

test('what was known of the scopes of an operation is forgotten when it has ended', async () => {
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

test('so it is in the gateway, after a query, and after a subscription has ended', async () => {
  await using started = await startGatewayWithVendor();
  const { gateway } = started;
  using forget = vi.spyOn(RequestCache, 'clearForContext');
  await gateway.data('{ health { ok } }');
  expect(forget).toHaveBeenCalledOnce();
  const events = gateway.subscribe('subscription { chat(input: { message: "Why?", store: false }) { __typename } }');
  let count = 0;
  for await (const _ of events) count += 1;
  expect(count).toBeGreaterThan(2);
  // Once for all its events: they share what is known of the scopes.
  await expect.poll(() => forget.mock.calls.length).toBe(2);
});
