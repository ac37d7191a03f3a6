import type { ServerResponse } from 'node:http';

/** Aborted when the client goes before its answer has ended. */
export function leftSignal(response: ServerResponse): AbortSignal {
  const left = new AbortController();
  // It closes once; what `once` adds to a listener would be held by thousands that wait.
  response.on('close', () => {
    if (!response.writableFinished) left.abort(new DOMException('The client closed the connection.', 'AbortError'));
  });
  return left.signal;
}
