import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import type { Json } from '../contracts/filter.ts';
import { parseJsonReply } from '../models/json-reply.ts';
import { isWithin } from '../text/storable-json.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

export type ReplyCheck =
  | { readonly ok: true; readonly value: Json }
  /** One line per fault, with its path. */
  | { readonly ok: false; readonly faults: readonly string[] };

/** A reply nested deeper than this could neither be stored nor sent. */
const maxReplyDepth = 200;
const maxFaults = 20;
const maxFaultChars = 300;
const maxPathChars = 120;
const maxShownChars = 80;

/**
 * JSON Schema 2020-12. Throws when it is none. It comes from outside: compiling it, or checking a reply, can take any time
 * (a pattern that backtracks, references that multiply), so this runs in a thread that can be ended.
 */
export function compileSchema(schema: JsonSchema): (reply: string) => ReplyCheck {
  // The dialect it names need not be the one that it is read as. An instance of its own: inner ids stay in an instance, and
  // would reach into the schemas of others. No inlining: code would grow with the square of the schema.
  const { $schema: _dialect, ...rest } = schema;
  const ajv = new Ajv2020({
    allErrors: true,
    strict: false,
    logger: false,
    validateFormats: false,
    inlineRefs: false,
    verbose: true, // each fault with the value that came
  });
  const validate = ajv.compile(rest);
  // It would answer with a promise, which is true whatever comes of it.
  if ('$async' in validate) throw new Error('$async is not supported');
  return (reply) => {
    const value = parseJsonReply(reply);
    if (value === undefined) return { ok: false, faults: ['the reply is not JSON'] };
    if (!isWithin(value, maxReplyDepth)) {
      return { ok: false, faults: [`the reply is nested more than ${maxReplyDepth} levels deep`] };
    }
    if (validate(value)) return { ok: true, value: value as Json }; // JSON.parse made it
    return { ok: false, faults: (validate.errors ?? []).slice(0, maxFaults).map(faultLine) };
  };
}

/** What a model needs to mend it: Ajv's message leaves out which property is too much, which values there are, and what came. */
function faultLine({ instancePath, keyword, message, params, data }: ErrorObject): string {
  const detail =
    keyword === 'enum' || keyword === 'const' || keyword === 'additionalProperties' ? ` ${JSON.stringify(params)}` : '';
  const line = `${instancePath.slice(0, maxPathChars) || '/'} ${message}${detail}`.slice(0, maxFaultChars);
  return aboutNames.has(keyword) ? line : `${line}, got ${shown(data)}`;
}

/** Faults of an object's names: they say by themselves which. */
const aboutNames = new Set(['required', 'additionalProperties', 'dependentRequired', 'unevaluatedProperties']);

function shown(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = typeof value === 'string' ? JSON.stringify(value.slice(0, maxShownChars)) : String(value);
  return text.length > maxShownChars ? `${text.slice(0, maxShownChars)}…` : text;
}
