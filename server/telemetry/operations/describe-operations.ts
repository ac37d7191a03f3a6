import { type DocumentNode, getOperationAST } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { currentOperation } from '../../request-scope.ts';

/** Tells the operation under way what it is, once it is parsed and about to be executed. */
export const describeOperations: Plugin = {
  onExecute: ({ args }) => describe(args),
  onSubscribe: ({ args }) => describe(args),
};

function describe({ document, operationName }: Described): void {
  const definition = getOperationAST(document, operationName);
  if (definition) currentOperation()?.is(definition.operation, definition.name?.value ?? null);
}

interface Described {
  readonly document: DocumentNode;
  readonly operationName?: string | null | undefined;
}
