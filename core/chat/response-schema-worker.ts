import { parentPort } from 'node:worker_threads';
import { compileSchema, type JsonSchema, type ReplyCheck } from './compile-schema.ts';

/** `reply: null`: only say whether the schema is one. */
export interface SchemaJob {
  readonly schema: JsonSchema;
  readonly reply: string | null;
}
export type SchemaAnswer =
  | { readonly type: 'ready' }
  /** Of a job without a reply: the schema is one. */
  | { readonly type: 'compiled' }
  | { readonly type: 'checked'; readonly check: ReplyCheck }
  | { readonly type: 'no-schema'; readonly why: string };

const maxCompiled = 50;

const port = parentPort;
if (port === null) throw new Error('response-schema-worker.ts runs as a worker thread only');

/** A turn compiles its schema before it starts and uses it at its end; the least used one makes room. */
const compiled = new Map<string, ReturnType<typeof compileSchema>>();

port.on('message', (job: SchemaJob) => port.postMessage(answer(job)));
port.postMessage({ type: 'ready' } satisfies SchemaAnswer);

function answer({ schema, reply }: SchemaJob): SchemaAnswer {
  try {
    const validate = validatorOf(schema);
    return reply === null ? { type: 'compiled' } : { type: 'checked', check: validate(reply) };
  } catch (error) {
    return { type: 'no-schema', why: error instanceof Error ? error.message : String(error) };
  }
}

function validatorOf(schema: JsonSchema): ReturnType<typeof compileSchema> {
  const key = JSON.stringify(schema);
  const validate = compiled.get(key) ?? compileSchema(schema);
  compiled.delete(key);
  compiled.set(key, validate);
  if (compiled.size > maxCompiled) compiled.delete(compiled.keys().next().value ?? key);
  return validate;
}
