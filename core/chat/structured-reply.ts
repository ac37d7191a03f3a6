import { GatewayError } from '../contracts/gateway-error.ts';
import type { CallOptions, Models } from '../models/models.ts';
import type { RunIo } from '../runs/live-run.ts';
import { guardJson } from '../text/link-guard.ts';
import type { JsonSchema } from './compile-schema.ts';
import { type Generation, generate } from './generate.ts';
import { buildPrompt, type PromptParts } from './prompt.ts';
import type { Reply } from './reply.ts';
import type { ResponseSchemas } from './response-schemas.ts';
import type { Said } from './said.ts';

export interface StructuredTask {
  readonly schema: JsonSchema;
  /** The generation that wrote the reply, and what its prompt was made of. */
  readonly generation: Generation;
  readonly parts: PromptParts;
  readonly room: number;
}

/** Parses the reply by its schema into `reply.object`; one attempt to repair it, then a clear failure. */
export async function parseReply(
  services: { readonly models: Models; readonly schemas: ResponseSchemas },
  { schema, generation, parts, room }: StructuredTask,
  reply: Reply,
  io: RunIo,
  call: CallOptions,
): Promise<void> {
  const { models, schemas } = services;
  const first = await schemas.check(schema, reply.draft.text, call.signal);
  if (first.ok) {
    reply.object = guardJson(first.value, generation.links);
    return;
  }
  const faults = first.faults.join('; ');
  const said: Said = { role: 'ASSISTANT', text: reply.draft.text, attachments: [], cites: false };
  const objection: Said = {
    role: 'USER',
    text: `That is not valid: ${faults}. Reply again, with JSON that satisfies the schema and nothing else.`,
    attachments: [],
    cites: false,
  };
  const history = [...parts.history, parts.question, said];
  const { messages } = buildPrompt({ ...parts, history, question: objection }, room);
  reply.dropText(`The reply did not satisfy responseSchema: ${faults}`.slice(0, 500));
  await generate(models, { ...generation, messages }, reply.draft, io, call);
  const second = await schemas.check(schema, reply.draft.text, call.signal);
  if (!second.ok) throw twiceInvalid(second.faults);
  reply.object = guardJson(second.value, generation.links);
}

const twiceInvalid = (issues: readonly string[]): GatewayError =>
  new GatewayError(
    'UPSTREAM_UNAVAILABLE',
    `The model's reply did not satisfy responseSchema, twice: ${issues.join('; ').slice(0, 1_000)}.`,
    { retryable: true, details: { attempts: 2, issues } },
  );
