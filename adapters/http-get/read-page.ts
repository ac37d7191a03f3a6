import { once } from 'node:events';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import pLimit from 'p-limit';
import { GatewayError } from '../../core/contracts/gateway-error.ts';
import { type PageText, pageText } from './page-text.ts';
import type { PageJob } from './page-text-worker.ts';

const timeLimitMs = 10_000;
const atOnce = pLimit(2);

/**
 * The text of an answer; null: it is none. HTML takes a second for 500 kB, and more when it is nested to hurt: it is read in a thread
 * of its own, which is ended when that takes too long.
 */
export async function readPage(
  body: Buffer,
  contentType: string,
  url: string,
  signal: AbortSignal,
): Promise<PageText | null> {
  if (!/html/i.test(contentType)) return pageText(body, contentType, url);
  return atOnce(async () => {
    signal.throwIfAborted();
    // The same ending as this file: .ts in the repository, .js in a built package.
    const script = new URL(`./page-text-worker${extname(import.meta.url)}`, import.meta.url);
    const workerData: PageJob = { body, contentType, url };
    const worker = new Worker(script, {
      ...{ name: 'page-text', execArgv: [], workerData },
      resourceLimits: { maxOldGenerationSizeMb: 256 },
    });
    try {
      const within = AbortSignal.any([signal, AbortSignal.timeout(timeLimitMs)]);
      const [page] = await once(worker, 'message', { signal: within });
      return page as PageText | null;
    } catch (cause) {
      signal.throwIfAborted();
      throw new GatewayError('BAD_INPUT', 'The page could not be read as HTML: it is too large or nested too deeply.', {
        cause,
      });
    } finally {
      worker.on('error', () => {});
      await worker.terminate();
    }
  });
}
