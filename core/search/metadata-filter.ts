import type { Filter, Json } from '../contracts/filter.ts';
import { GatewayError } from '../contracts/gateway-error.ts';
import { assertStorableJson } from '../text/storable-json.ts';

/** `MetadataFilter` as GraphQL hands it over. */
export interface MetadataFilterInput {
  readonly all?: readonly MetadataFilterInput[] | null | undefined;
  readonly any?: readonly MetadataFilterInput[] | null | undefined;
  readonly not?: MetadataFilterInput | null | undefined;
  readonly field?: string | null | undefined;
  readonly equals?: unknown;
  readonly in?: readonly unknown[] | null | undefined;
  readonly greaterThan?: unknown;
  readonly lessThan?: unknown;
  readonly exists?: boolean | null | undefined;
}

const maxDepth = 8;
const maxNodes = 200;
const maxValues = 1_000;
const maxFieldLength = 200;
const operators = ['equals', 'in', 'greaterThan', 'lessThan', 'exists'] as const;

/** Checks the whole of the filter's rule; the path of the fault stands in the message. */
export function parseMetadataFilter(input: MetadataFilterInput, name = 'filter'): Filter {
  let nodes = 0;
  const parse = (node: MetadataFilterInput, path: string, depth: number): Filter => {
    nodes += 1;
    if (depth > maxDepth) throw invalid(path, `is nested more than ${maxDepth} deep`);
    if (nodes > maxNodes) throw invalid(name, `has more than ${maxNodes} conditions`);
    const branches = (['all', 'any', 'not'] as const).filter((key) => node[key] != null);
    const hasField = node.field != null;
    if (branches.length + (hasField ? 1 : 0) !== 1) {
      const given = [...branches, ...(hasField ? ['field'] : [])];
      throw invalid(path, `must have exactly one of all, any, not and field, got ${given.join(' and ') || 'none'}`);
    }
    if (hasField) return parseCondition(node, path);
    const stray = givenOperators(node);
    if (stray.length > 0) throw invalid(path, `has ${stray.join(' and ')} without a field`);
    if (node.not != null) return { op: 'not', filter: parse(node.not, `${path}.not`, depth + 1) };
    const op = node.all == null ? 'any' : 'all';
    const filters = (node.all ?? node.any ?? []).map((child, index) =>
      parse(child, `${path}.${op}[${index}]`, depth + 1),
    );
    if (filters.length === 0) throw invalid(`${path}.${op}`, 'must hold at least one filter, got an empty list');
    return { op, filters };
  };
  return parse(input, name, 1);
}

function parseCondition(node: MetadataFilterInput, path: string): Filter {
  const field = node.field ?? '';
  if (field === '' || field.length > maxFieldLength || field.includes('\0')) {
    throw invalid(`${path}.field`, `must be 1–${maxFieldLength} characters without NUL, got ${shown(field)}`);
  }
  const given = givenOperators(node);
  const [operator] = given;
  if (operator === undefined || given.length > 1) {
    throw invalid(
      path,
      `must have exactly one of ${operators.join(', ')} for its field, got ${given.join(' and ') || 'none'}`,
    );
  }
  switch (operator) {
    case 'equals':
      return { op: 'equals', path: field, value: json(node.equals, `${path}.equals`) };
    case 'in': {
      const values = node.in ?? [];
      if (values.length === 0 || values.length > maxValues) {
        throw invalid(`${path}.in`, `must hold 1–${maxValues} values, got ${values.length}`);
      }
      return { op: 'in', path: field, values: values.map((value, index) => json(value, `${path}.in[${index}]`)) };
    }
    case 'greaterThan':
    case 'lessThan': {
      const value = json(node[operator], `${path}.${operator}`);
      if (typeof value === 'number' || typeof value === 'string') return { op: operator, path: field, value };
      throw invalid(`${path}.${operator}`, `must be a number or a string, got ${shown(value)}`);
    }
    case 'exists':
      return { op: 'exists', path: field, exists: node.exists ?? true };
  }
}

/** `equals: null` asks for a JSON null, but a client that sends every field of the input as null does not mean it. */
function givenOperators(node: MetadataFilterInput): (typeof operators)[number][] {
  const given = operators.filter((operator) => node[operator] != null);
  return given.length === 0 && node.equals === null && node.field != null ? ['equals'] : given;
}

function json(value: unknown, path: string): Json {
  if (value === undefined) throw invalid(path, 'must be a JSON value');
  assertStorableJson(value, path, { maxChars: 10_000, maxDepth: 20 });
  return JSON.parse(JSON.stringify(value));
}

const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'undefined';
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
};

const invalid = (path: string, what: string): GatewayError => new GatewayError('BAD_INPUT', `${path} ${what}.`);
