import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Json } from '../contracts/filter.ts';
import { GatewayError } from '../contracts/gateway-error.ts';
import { parseJsonReply } from '../models/complete-json.ts';

export type ReplyCheck =
  | { readonly ok: true; readonly value: Json }
  /** One line per fault, with its path. */
  | { readonly ok: false; readonly faults: readonly string[] };

export type ReplyValidator = (text: string) => ReplyCheck;

const maxSchemaChars = 50_000;

/** JSON Schema 2020-12. BAD_INPUT when it is none, with what is wrong about it. */
export function compileResponseSchema(schema: Readonly<Record<string, unknown>>): ReplyValidator {
  const validate = compile(schema);
  return (text) => {
    const value = parseJsonReply(text);
    if (value === undefined) return { ok: false, faults: ['the reply is not JSON'] };
    if (validate(value)) return { ok: true, value: value as Json }; // JSON.parse made it
    return {
      ok: false,
      faults: (validate.errors ?? []).map((fault) => `${fault.instancePath || '/'} ${fault.message}`),
    };
  };
}

function compile(schema: Readonly<Record<string, unknown>>) {
  const size = JSON.stringify(schema).length;
  if (size > maxSchemaChars) throw invalid(`it must be at most ${maxSchemaChars} characters of JSON, got ${size}`);
  try {
    const { $schema: _dialect, ...rest } = schema;
    return new Ajv2020({ allErrors: false, strict: false, logger: false, validateFormats: false }).compile(rest);
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : String(error));
  }
}

const invalid = (why: string): GatewayError =>
  new GatewayError('BAD_INPUT', `responseSchema must be a JSON Schema (2020-12): ${why.slice(0, 300)}.`);
