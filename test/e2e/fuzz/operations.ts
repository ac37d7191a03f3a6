import fc from 'fast-check';
import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
} from 'graphql';
import { type Draw, inputValue } from './hostile-values.ts';

export interface FuzzOperation {
  readonly kind: 'query' | 'mutation' | 'subscription';
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

interface Building {
  readonly schema: GraphQLSchema;
  readonly draw: Draw;
  readonly declarations: string[];
  readonly variables: Record<string, unknown>;
  readonly hostility: number;
  /** Fields that may still be selected: bounds the size. */
  room: number;
}

const maxDepth = 5;
const frequent = [
  'search',
  'search',
  'search',
  'run',
  'node',
  'nodes',
  'startChat',
  'startChat',
  'startIngest',
  'chat',
];

/** A random operation over the whole schema: any fields, any arguments, as variables or as literals. */
export function operation(draw: Draw, schema: GraphQLSchema): FuzzOperation {
  const kind = draw(
    fc.oneof(
      { weight: 6, arbitrary: fc.constant('query' as const) },
      { weight: 4, arbitrary: fc.constant('mutation' as const) },
      { weight: 1, arbitrary: fc.constant('subscription' as const) },
    ),
  );
  const roots = {
    query: schema.getQueryType(),
    mutation: schema.getMutationType(),
    subscription: schema.getSubscriptionType(),
  };
  const root = roots[kind];
  if (root == null) throw new Error(`the schema has no ${kind}`);
  const building: Building = {
    schema,
    draw,
    declarations: [],
    variables: {},
    // Many operations with one fault each reach further than operations that are all faults.
    hostility: draw(fc.constantFrom(0, 5, 15, 40)),
    room: 40,
  };
  const all = root.getFields();
  // What does the most has the most to go wrong.
  const fields = [...Object.values(all), ...frequent.flatMap((name) => all[name] ?? [])];
  const count = kind === 'subscription' ? 1 : draw(fc.integer({ min: 1, max: 3 }));
  const selected = Array.from({ length: count }, (_, index) =>
    selection(building, draw(fc.constantFrom(...fields)), 0, `f${index}: `),
  );
  const declared = building.declarations.length > 0 ? `(${building.declarations.join(', ')})` : '';
  return { kind, query: `${kind} Fuzz${declared} { ${selected.join(' ')} }`, variables: building.variables };
}

function selection(building: Building, field: GraphQLField<unknown, unknown>, depth: number, alias = ''): string {
  building.room -= 1;
  const args = field.args
    .filter((argument) => isRequiredArgument(argument) || building.draw(fc.nat(99)) < 35)
    .map((argument) => `${argument.name}: ${argumentText(building, field.name, argument)}`);
  const called = args.length > 0 ? `(${args.join(', ')})` : '';
  // One field twice with other arguments is refused before it does anything.
  const named = alias === '' && called !== '' ? `a${building.room}: ` : alias;
  return `${named}${field.name}${called}${selectionSet(building, field.type, depth + 1)}`;
}

function selectionSet(building: Building, type: GraphQLOutputType, depth: number): string {
  const named = getNamedType(type);
  if (isLeafType(named)) return '';
  const parts = ['__typename'];
  if (depth < maxDepth) {
    for (const field of Object.values('getFields' in named ? named.getFields() : {})) {
      if (building.room > 0 && building.draw(fc.nat(99)) < (isLeafType(getNamedType(field.type)) ? 40 : 25)) {
        parts.push(selection(building, field, depth));
      }
    }
    if (isAbstractType(named)) {
      const possible = building.schema.getPossibleTypes(named).filter(isObjectType);
      const type = building.draw(fc.constantFrom(...possible));
      const defer = building.draw(fc.nat(19)) === 0 ? ' @defer' : '';
      parts.push(`... on ${type.name}${defer}${selectionSet(building, type, depth + 1)}`);
    }
  }
  return ` { ${parts.join(' ')} }`;
}

function argumentText(building: Building, field: string, argument: GraphQLArgument): string {
  const value = inputValue(building.draw, argument.type, `${field}.${argument.name}`, building.hostility);
  if (building.draw(fc.boolean())) return literal(value, argument.type);
  const name = `v${building.declarations.length}`;
  building.declarations.push(`$${name}: ${String(argument.type)}`);
  building.variables[name] = value;
  return `$${name}`;
}

/** As it would stand in a query. Enum values have no quotes where an enum is expected. */
function literal(value: unknown, type: GraphQLInputType | undefined): string {
  if (type !== undefined && isNonNullType(type)) return literal(value, type.ofType);
  if (Array.isArray(value)) {
    const inner = type !== undefined && isListType(type) ? type.ofType : undefined;
    return `[${value.map((item) => literal(item, inner)).join(', ')}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const fields = type !== undefined && isInputObjectType(type) ? type.getFields() : {};
    return `{${Object.entries(value)
      .map(([key, item]) => `${key}: ${literal(item, fields[key]?.type)}`)
      .join(', ')}}`;
  }
  if (typeof value === 'string' && value.startsWith('@@raw:')) return value.replace('raw', 'literal');
  if (typeof value === 'string' && type !== undefined && isEnumType(type)) return value;
  return JSON.stringify(value) ?? 'null';
}
