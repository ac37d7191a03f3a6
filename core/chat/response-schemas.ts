import { once } from 'node:events';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import pLimit from 'p-limit';
import { GatewayError } from '../contracts/gateway-error.ts';
import { untilAborted } from '../models/calls/abortable.ts';
import { assertStorableJson } from '../text/storable-json.ts';
import type { JsonSchema, ReplyCheck } from './compile-schema.ts';
import type { SchemaAnswer, SchemaJob } from './response-schema-worker.ts';

/** The JSON Schemas (2020-12) that apps want replies to satisfy, and tools their arguments. `name` is what errors call the schema. */
export interface ResponseSchemas {
  /** BAD_INPUT for what is no schema, refers to one elsewhere, is too large, or takes too long to compile. */
  assertSchema(schema: JsonSchema, signal?: AbortSignal, name?: string): Promise<void>;
  /** BAD_INPUT when the schema takes too long to apply to this reply. */
  check(schema: JsonSchema, reply: string, signal: AbortSignal, name?: string): Promise<ReplyCheck>;
}

const defaultName = 'responseSchema';

export interface ResponseSchemaOptions {
  /** For one schema to be compiled, or one reply to be checked. */
  readonly timeLimitMs?: number;
}

const bounds = { maxChars: 50_000, maxDepth: 100 };
const startLimitMs = 30_000;

/**
 * Compiles and applies schemas in one thread, one after the other, each within a time limit: a `pattern` that backtracks, or
 * references that multiply, cost their own run and nobody's event loop. The thread starts with the first schema.
 */
export function createResponseSchemas(
  options: ResponseSchemaOptions = {},
): ResponseSchemas & { close(): Promise<void> } {
  return new SchemaThread(options.timeLimitMs ?? 2_000);
}

class SchemaThread implements ResponseSchemas {
  readonly #timeLimitMs: number;
  readonly #oneAtATime = pLimit(1);
  #worker: Worker | null = null;
  #closed = false;

  constructor(timeLimitMs: number) {
    this.#timeLimitMs = timeLimitMs;
  }

  async assertSchema(schema: JsonSchema, signal?: AbortSignal, name = defaultName): Promise<void> {
    assertStorableJson(schema, name, bounds);
    await this.#answer({ schema, reply: null }, name, signal);
  }

  async check(schema: JsonSchema, reply: string, signal: AbortSignal, name = defaultName): Promise<ReplyCheck> {
    const answer = await this.#answer({ schema, reply }, name, signal);
    if (answer.type === 'checked') return answer.check;
    throw new Error(`the schema thread answered ${answer.type} to a reply`);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker?.terminate();
  }

  async #answer(job: SchemaJob, name: string, signal?: AbortSignal): Promise<SchemaAnswer> {
    const answering = this.#oneAtATime(async () => (signal?.aborted ? null : await this.#run(job, name)));
    const answer = await (signal === undefined ? answering : untilAborted(answering, signal));
    if (answer === null) throw new GatewayError('CANCELLED', `the check of ${name} was cancelled`);
    if (answer.type === 'no-schema') throw noSchema(name, answer.why);
    return answer;
  }

  async #run(job: SchemaJob, name: string): Promise<SchemaAnswer> {
    const worker = this.#worker ?? (await this.#start());
    const what = job.reply === null ? 'to compile' : 'to check what a model wrote';
    try {
      worker.postMessage(job);
      return await messageOf(worker, this.#timeLimitMs);
    } catch (cause) {
      // Whatever it is busy with: the next job gets a new one.
      this.#worker = null;
      await worker.terminate();
      throw new GatewayError(
        'BAD_INPUT',
        `${name} needs more than ${this.#timeLimitMs} ms or too much memory ${what}: simplify it. Patterns with nested repetition, such as (a+)+, and references that multiply are the usual cause.`,
        { cause },
      );
    }
  }

  async #start(): Promise<Worker> {
    if (this.#closed) throw new GatewayError('CANCELLED', 'the gateway is shutting down', { retryable: true });
    // The same ending as this file: .ts in the repository, .js in a built package.
    const script = new URL(`./response-schema-worker${extname(import.meta.url)}`, import.meta.url);
    const worker = new Worker(script, {
      name: 'response-schemas',
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: 256 },
    });
    worker.unref();
    // What ends it is heard by the job that waits; without one it is only gone.
    worker.on('error', () => {});
    worker.once('exit', () => {
      if (this.#worker === worker) this.#worker = null;
    });
    await messageOf(worker, startLimitMs);
    this.#worker = worker;
    return worker;
  }
}

/** The next message of a thread; rejects when it ends, or says nothing in time. */
async function messageOf(worker: Worker, limitMs: number): Promise<SchemaAnswer> {
  const waiting = new AbortController();
  const { signal } = waiting;
  const timer = setTimeout(() => waiting.abort(new Error(`no answer within ${limitMs} ms`)), limitMs);
  const ended = once(worker, 'exit', { signal }).then(() => {
    throw new Error('the thread ended');
  });
  try {
    const [message] = await Promise.race([once(worker, 'message', { signal }), ended]);
    return message;
  } finally {
    clearTimeout(timer);
    waiting.abort();
    ended.catch(() => {});
  }
}

const noSchema = (name: string, why: string): GatewayError => {
  const remote = why.includes("can't resolve reference") ? ' References to other documents are not fetched.' : '';
  return new GatewayError('BAD_INPUT', `${name} must be a JSON Schema (2020-12): ${why.slice(0, 300)}.${remote}`);
};
