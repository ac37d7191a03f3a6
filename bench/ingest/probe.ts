import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** Times one operation again and again, over one kept connection each, until it is stopped. */
export interface Probe {
  /** Milliseconds of each answer. */
  readonly times: readonly number[];
  /** The newest answer's data. */
  readonly newest: unknown;
  stop(): Promise<void>;
}

/**
 * Sends every `everyMs`, whether or not the one before has been answered: a server that stalls is met by all that would have
 * come meanwhile. `operation` gets the number of the request.
 */
export function startProbe(url: string, everyMs: number, operation: (count: number) => string): Probe {
  const agent = new Agent({ keepAlive: true });
  const stopping = new AbortController();
  const times: number[] = [];
  const open = new Set<Promise<void>>();
  let newest: unknown;
  const once = async (count: number) => {
    const begun = performance.now();
    newest = await ask(agent, url, operation(count));
    times.push(performance.now() - begun);
  };
  const loop = async () => {
    const begun = performance.now();
    for (let count = 0; !stopping.signal.aborted; count += 1) {
      await sleep(Math.max(0, begun + count * everyMs - performance.now()), undefined, { signal: stopping.signal });
      const asked = once(count);
      open.add(asked);
      asked.then(() => open.delete(asked)).catch(() => {});
    }
  };
  const running = loop().catch((error: unknown) => {
    if (!stopping.signal.aborted) throw error;
  });
  return {
    times,
    get newest() {
      return newest;
    },
    async stop() {
      stopping.abort();
      await running;
      await Promise.all(open);
      agent.destroy();
    },
  };
}

function ask(agent: Agent, url: string, query: string): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const headers = { 'content-type': 'application/json' };
  const sent = request(url, { method: 'POST', agent, headers }, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('error', reject);
    response.on('end', () => {
      const result = JSON.parse(Buffer.concat(chunks).toString()) as { data?: unknown; errors?: unknown };
      if (result.errors) reject(new Error(`the operation failed: ${JSON.stringify(result.errors)}`));
      else resolve(result.data);
    });
  });
  sent.on('error', (error: NodeJS.ErrnoException) => {
    // The server closed the kept connection at the moment it was used again.
    if (sent.reusedSocket && error.code === 'ECONNRESET') resolve(ask(agent, url, query));
    else reject(error);
  });
  sent.end(JSON.stringify({ query }));
  return promise;
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
