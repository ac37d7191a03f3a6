import type { Progress } from './mcp-tool.ts';

/** Of one call, at most: a model writes faster than anybody reads how far it is. */
const everyMs = 250;

/**
 * Progress as the protocol wants it, which must grow with every notification: what does not, and what comes too soon after the one before,
 * is left out.
 */
export function progressNotes(
  send: (params: { readonly progress: number; readonly total?: number; readonly message: string }) => void,
): (progress: Progress) => void {
  let last = Number.NEGATIVE_INFINITY;
  let lastAt = Number.NEGATIVE_INFINITY;
  return ({ done, total, message }) => {
    const now = performance.now();
    const isEnd = total !== undefined && done >= total;
    if (done <= last || (now - lastAt < everyMs && !isEnd)) return;
    last = done;
    lastAt = now;
    send({ progress: done, ...(total === undefined ? {} : { total }), message });
  };
}
