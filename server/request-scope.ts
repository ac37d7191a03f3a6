import { AsyncLocalStorage } from 'node:async_hooks';

/** The request that the running code belongs to, for log lines and masked errors. */
export const requestScope = new AsyncLocalStorage<{ readonly requestId: string }>();
