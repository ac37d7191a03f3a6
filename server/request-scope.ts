import { AsyncLocalStorage } from 'node:async_hooks';
import type { Operation } from './telemetry/operations/operation.ts';

/** The request that the running code belongs to, for log lines, masked errors, and what is told of operations. */
export interface RequestScope {
  readonly requestId: string;
  /** None before the caller is known, and for requests that are no operation. */
  readonly operation?: Operation | undefined;
}

export const requestScope = new AsyncLocalStorage<RequestScope>();

/** Everything that is done inside belongs to the operation: its log lines, its errors, its trace. */
export function inOperation<T>(operation: Operation, work: () => T): T {
  return requestScope.run({ requestId: operation.requestId, operation }, () => operation.run(work));
}

export function currentOperation(): Operation | undefined {
  return requestScope.getStore()?.operation;
}
