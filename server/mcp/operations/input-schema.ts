import {
  type GraphQLInputObjectType,
  type GraphQLInputType,
  type GraphQLScalarType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isRequiredInputField,
  type OperationDefinitionNode,
  typeFromAST,
  valueFromASTUntyped,
} from 'graphql';
import type { JsonSchema } from '../../../core/contracts/tool.ts';

const builtin: Readonly<Record<string, JsonSchema>> = {
  ID: { type: 'string' },
  String: { type: 'string' },
  Boolean: { type: 'boolean' },
  Float: { type: 'number' },
  Int: { type: 'integer', minimum: -(2 ** 31), maximum: 2 ** 31 - 1 },
  SafeInt: { type: 'integer' },
  DateTime: { type: 'string', format: 'date-time' },
  UUID: { type: 'string', format: 'uuid' },
};

/** Any value of JSON where nothing more is known. */
export function scalarSchema({ name, description }: GraphQLScalarType): JsonSchema {
  return builtin[name] ?? (description == null ? {} : { description });
}

export function orNull(schema: JsonSchema): JsonSchema {
  return Object.keys(schema).length === 0 ? schema : { anyOf: [schema, { type: 'null' }] };
}

/** The variables of an operation as a JSON Schema of one object. Input types stand in `$defs`, since they may hold themselves. */
export function inputSchema(schema: GraphQLSchema, operation: OperationDefinitionNode): JsonSchema {
  const defs: Record<string, JsonSchema> = {};
  const properties: Record<string, JsonSchema> = {};
  const required: string[] = [];
  for (const { variable, type: node, defaultValue } of operation.variableDefinitions ?? []) {
    const name = variable.name.value;
    const type = typeFromAST(schema, node as Parameters<typeof typeFromAST>[1]) as GraphQLInputType; // it was validated
    const described = schemaOf(type, defs);
    properties[name] =
      defaultValue === undefined ? described : { ...described, default: valueFromASTUntyped(defaultValue) };
    if (isNonNullType(type) && defaultValue === undefined) required.push(name);
  }
  return {
    ...{ type: 'object', properties, required, additionalProperties: false },
    ...(Object.keys(defs).length === 0 ? {} : { $defs: defs }),
  };
}

function schemaOf(type: GraphQLInputType, defs: Record<string, JsonSchema>): JsonSchema {
  return isNonNullType(type) ? present(type.ofType, defs) : orNull(present(type, defs));
}

function present(type: GraphQLInputType, defs: Record<string, JsonSchema>): JsonSchema {
  if (isNonNullType(type)) return present(type.ofType, defs);
  if (isListType(type)) return { type: 'array', items: schemaOf(type.ofType, defs) };
  if (isEnumType(type)) return { type: 'string', enum: type.getValues().map(({ name }) => name) };
  if (!isInputObjectType(type)) return scalarSchema(type);
  if (defs[type.name] === undefined) {
    defs[type.name] = {}; // before its fields, of which one may be itself
    defs[type.name] = objectSchema(type, defs);
  }
  return { $ref: `#/$defs/${type.name}` };
}

function objectSchema(type: GraphQLInputObjectType, defs: Record<string, JsonSchema>): JsonSchema {
  const fields = Object.values(type.getFields());
  const properties = fields.map(({ name, type: of, description }): [string, JsonSchema] => [
    name,
    { ...schemaOf(of, defs), ...(description == null ? {} : { description }) },
  ]);
  return {
    ...{ type: 'object', properties: Object.fromEntries(properties), additionalProperties: false },
    required: fields.filter(isRequiredInputField).map(({ name }) => name),
    ...(type.description == null ? {} : { description: type.description }),
    ...(type.isOneOf ? { minProperties: 1, maxProperties: 1 } : {}),
  };
}
