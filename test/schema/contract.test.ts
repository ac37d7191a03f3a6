import { readFileSync } from 'node:fs';
import {
  astFromValue,
  buildSchema,
  type GraphQLArgument,
  type GraphQLEnumType,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLNamedType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
  isUnionType,
  print,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { schema as builtSchema } from '../../schema/index.ts';
import { notServedYet } from './not-served-yet.ts';

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');
const contract = buildSchema(read('../fixtures/contract.graphql'));
const served = buildSchema(read('../../schema.graphql'));

/** Everything that a schema names, each under its path, with all that must be the same: type, default, kind, interfaces. */
function inventory(schema: GraphQLSchema): Map<string, string> {
  const found = new Map<string, string>();
  for (const type of Object.values(schema.getTypeMap())) {
    if (isIntrospectionType(type) || isSpecifiedScalarType(type)) continue;
    found.set(type.name, kindOf(type));
    if (isEnumType(type)) addValues(found, type);
    if (isInputObjectType(type)) for (const field of Object.values(type.getFields())) addInput(found, type.name, field);
    if (isObjectType(type) || isInterfaceType(type)) {
      for (const iface of type.getInterfaces()) found.set(`${type.name} implements ${iface.name}`, 'yes');
      for (const field of Object.values(type.getFields())) addField(found, type.name, field);
    }
    if (isUnionType(type)) for (const member of type.getTypes()) found.set(`${type.name} = ${member.name}`, 'yes');
  }
  return found;
}

const kindOf = (type: GraphQLNamedType): string => type.constructor.name;

function addValues(found: Map<string, string>, type: GraphQLEnumType): void {
  for (const { name } of type.getValues()) found.set(`${type.name}.${name}`, 'value');
}

function addField(found: Map<string, string>, owner: string, field: GraphQLField<unknown, unknown>): void {
  found.set(`${owner}.${field.name}`, String(field.type));
  for (const argument of field.args) addInput(found, `${owner}.${field.name}`, argument);
}

function addInput(found: Map<string, string>, owner: string, input: GraphQLArgument | GraphQLInputField): void {
  const { defaultValue } = input as { defaultValue?: unknown };
  const literal =
    input.astNode?.defaultValue ?? (defaultValue === undefined ? null : astFromValue(defaultValue, input.type));
  found.set(`${owner}(${input.name})`, `${input.type}${literal ? ` = ${print(literal)}` : ''}`);
}

const wanted = inventory(contract);
const given = inventory(served);
/** An entry of the list stands for itself and for everything inside of it. */
const isListed = (path: string): boolean =>
  notServedYet.some(
    (entry) =>
      path === entry || path.startsWith(`${entry}.`) || path.startsWith(`${entry}(`) || path.startsWith(`${entry} `),
  );

describe('the public contract', () => {
  it('is served with exactly its types, arguments and defaults, but for a short list', () => {
    const differences = [...wanted]
      .filter(([path, value]) => !isListed(path) && given.get(path) !== value)
      .map(([path, value]) => `${path}: the contract has ${value}, served is ${given.get(path) ?? 'nothing'}`);
    expect(differences).toEqual([]);
  });

  it('lists as not served only what the contract names and the schema lacks', () => {
    expect(notServedYet.filter((entry) => !wanted.has(entry))).toEqual([]);
    expect(notServedYet.filter((entry) => given.has(entry))).toEqual([]);
  });

  it('gives every query and mutation that can fail by itself a nullable type', () => {
    const mustNot = ['collections', 'search', 'embedding', 'collection', 'conversations', 'run', 'runs', 'node'];
    for (const name of mustNot) expect(given.get(`Query.${name}`)).not.toMatch(/!$/);
    for (const [path, type] of given) if (/^Mutation\.\w+$/.test(path)) expect(type).not.toMatch(/!$/);
  });

  it('describes every field of the roots to the person in GraphiQL', () => {
    const roots = [builtSchema.getQueryType(), builtSchema.getMutationType(), builtSchema.getSubscriptionType()];
    const bare = roots.flatMap((root) =>
      Object.values(root?.getFields() ?? {})
        .filter((field) => !field.description)
        .map((field) => `${root?.name}.${field.name}`),
    );
    expect(bare).toEqual([]);
  });
});
