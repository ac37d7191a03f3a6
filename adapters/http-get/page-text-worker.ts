import { parentPort, workerData } from 'node:worker_threads';
import { pageText } from './page-text.ts';

/** What a thread is given, which reads one page and ends. */
export interface PageJob {
  readonly body: Uint8Array;
  readonly contentType: string;
  readonly url: string;
}

const { body, contentType, url } = workerData as PageJob; // what readPage gave it
parentPort?.postMessage(pageText(Buffer.from(body), contentType, url));
