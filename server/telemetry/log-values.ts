import { types } from 'node:util';
import { GatewayError } from '../../core/contracts/gateway-error.ts';
import { createTextRedactor, redacted } from './redact-text.ts';

/** A line is for reading: what is longer, deeper or wider than this is cut, and says so. */
const maxTextLength = 2_000;
const maxDepth = 6;
const maxItems = 50;
const maxValues = 500;
const maxCauses = 8;

/** Letters and digits of a field's name, in lower case, that say that its value is a secret. */
const secretName =
  /(?:apikey|passw(?:or)?d|passphrase|secret|authorization|cookie|accesstoken|refreshtoken|idtoken|bearertoken|credential|privatekey|connectionparam)s?$|^(?:token|jwt)$/;

/** … that it is what people or models wrote. Numbers and booleans of these names are counts and flags, and stay. */
const contentNames = new Set(
  (
    'answer arguments attachments base64 body choices completion completions content contents conversation delta deltas document ' +
    'documents goal highlights history input inputs message messages output outputs params passage passages prompt prompts ' +
    'query queries question quote reply requestbody responsebody result sources summary system text texts textsofar ' +
    'toolcalls variables'
  ).split(' '),
);

export interface LogValues {
  text(text: string): string;
  fields(fields: Readonly<Record<string, unknown>>): Record<string, unknown>;
}

/** Makes values fit for a log: plain JSON of bounded size, without secrets and without what people wrote. */
export function createLogValues(secrets: readonly string[]): LogValues {
  const redact = createTextRedactor(secrets);
  // Redacted before it is cut: half a secret would not be recognised.
  const text = (value: string) => shorten(redact(value));

  function plain(value: unknown, depth: number, budget: { left: number }): unknown {
    budget.left -= 1;
    if (budget.left < 0) return '[cut]';
    if (typeof value === 'string') return text(value);
    if (typeof value === 'bigint' || typeof value === 'number') {
      const digits = String(value);
      return typeof value === 'bigint' || redact(digits) !== digits ? redact(digits) : value;
    }
    if (typeof value === 'function' || typeof value === 'symbol') return `[${typeof value}]`;
    if (typeof value !== 'object' || value === null) return value;
    if (depth >= maxDepth) return '[cut]';
    if (isError(value)) return error(value, depth, budget);
    if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
    if (Array.isArray(value)) return list(value, depth, budget);
    if (value instanceof Map || value instanceof Headers) return record([...value], depth, budget);
    if (value instanceof Set) return list([...value], depth, budget);
    if ('toJSON' in value && typeof value.toJSON === 'function') return plain(value.toJSON(), depth + 1, budget);
    return record(Object.entries(value), depth, budget);
  }

  function list(items: readonly unknown[], depth: number, budget: { left: number }): unknown[] {
    const kept = items.slice(0, maxItems).map((item, index) => {
      // Raw headers are a flat list of names and values.
      const name = items[index - 1];
      return typeof name === 'string' && isSecret(name) ? redacted : safely(() => plain(item, depth + 1, budget));
    });
    return items.length > maxItems ? [...kept, `[${items.length - maxItems} more]`] : kept;
  }

  function record(entries: readonly (readonly [unknown, unknown])[], depth: number, budget: { left: number }) {
    // `{code, message}` is how failures are told; any other message is somebody's words.
    const isFailure = entries.some(([name, value]) => name === 'code' && typeof value === 'string');
    const out: Record<string, unknown> = {};
    for (const [name, value] of entries.slice(0, maxItems)) {
      const letters = normalised(String(name));
      const content = contentNames.has(letters) && !(letters === 'message' && isFailure);
      out[text(String(name))] = isEmptyOrFlag(value)
        ? value
        : isSecret(String(name))
          ? redacted
          : content && typeof value !== 'number'
            ? omitted(value)
            : safely(() => plain(value, depth + 1, budget));
    }
    return out;
  }

  /**
   * Named properties only: errors of clients carry requests, headers and bodies. A failed statement's parameters, which
   * drizzle puts into the message, are what people wrote.
   */
  function error(value: Error, depth: number, budget: { left: number }): Record<string, unknown> {
    const { name, message, stack, cause } = value;
    const code = 'code' in value ? value.code : undefined;
    const said = text(message.replace(/\nparams: [\s\S]*$/, '\nparams: [omitted]'));
    const frames = (stack ?? '')
      .replace(message, '')
      .split('\n')
      .filter((line) => /^\s+at /.test(line));
    const inner = (each: unknown) => (isError(each) ? error(each, depth + 1, budget) : plain(each, depth + 1, budget));
    budget.left -= 1;
    return {
      name: text(name),
      ...(typeof code === 'string' || typeof code === 'number' ? { code: plain(code, depth, budget) } : {}),
      message: said,
      ...(value instanceof GatewayError
        ? { retryable: value.retryable, details: plain(value.details, depth + 1, budget) }
        : {}),
      stack: [`${text(name)}: ${said}`, ...frames.map(text)].join('\n'),
      ...(cause === undefined ? {} : { cause: depth < maxCauses ? inner(cause) : '[cut]' }),
      ...(value instanceof AggregateError ? { errors: value.errors.slice(0, maxCauses).map(inner) } : {}),
    };
  }

  const fields = (values: Readonly<Record<string, unknown>>) => {
    const out = safely(() => record(Object.entries(values), 0, { left: maxValues }));
    return typeof out === 'object' ? out : { fields: out };
  };
  return { text, fields };
}

/** A getter or a toJSON that throws costs its field, not the line. */
function safely<T>(read: () => T): T | string {
  try {
    return read();
  } catch {
    return '[unreadable]';
  }
}

function isError(value: unknown): value is Error {
  return value instanceof Error || types.isNativeError(value);
}

function isSecret(name: string): boolean {
  return secretName.test(normalised(name));
}

function normalised(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}

/** Tells whether something was there, and nothing else. */
function isEmptyOrFlag(value: unknown): boolean {
  return value === null || value === undefined || typeof value === 'boolean';
}

function omitted(value: unknown): string {
  if (typeof value === 'string') return `[${value.length} characters omitted]`;
  return Array.isArray(value) ? `[${value.length} items omitted]` : '[omitted]';
}

function shorten(text: string): string {
  return text.length > maxTextLength ? `${text.slice(0, maxTextLength)}… [${text.length} characters]` : text;
}
