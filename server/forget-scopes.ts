import { RequestCache } from '@pothos/plugin-scope-auth';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import type { Context } from '../context.ts';

/**
 * Pothos keeps what it knows of an operation's scopes in a WeakMap from its context, and refers to the context there. V8's collection of
 * new objects takes the values of a WeakMap for alive, so every operation, with all that its loaders have read, would be copied twice and
 * stay until the whole heap is collected. It is forgotten when the operation has ended.
 */
export const forgetScopes: Plugin<Context> = {
  onExecute: ({ args: { contextValue } }) => ({
    onExecuteDone: ({ result }) => forgetAfter(result, contextValue),
  }),
  onSubscribe: ({ args: { contextValue } }) => ({
    onSubscribeResult: ({ result }) => forgetAfter(result, contextValue),
    onSubscribeError: () => RequestCache.clearForContext(contextValue),
  }),
};

function forgetAfter(result: unknown, context: Context): { readonly onEnd: () => void } | undefined {
  const onEnd = (): void => RequestCache.clearForContext(context);
  if (isAsyncIterable(result)) return { onEnd };
  onEnd();
  return undefined;
}
