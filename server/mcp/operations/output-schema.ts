import {
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  isEnumType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  isScalarType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import type { JsonSchema } from '../../../core/contracts/tool.ts';
import { orNull, scalarSchema } from './input-schema.ts';

/**
 * The data of an operation as a JSON Schema. Below an interface or a union a type's own fields may be missing, and so may what stands
 * under @skip or @include.
 */
export function outputSchema(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): JsonSchema {
  const fragments = new Map(
    document.definitions
      .filter((node): node is FragmentDefinitionNode => node.kind === Kind.FRAGMENT_DEFINITION)
      .map((node) => [node.name.value, node]),
  );
  const root = schema.getRootType(operation.operation);
  return root == null ? { type: 'object' } : selected([{ type: root, set: operation.selectionSet, isSure: true }]);

  interface Selected {
    readonly type: unknown;
    readonly set: SelectionSetNode;
    readonly isSure: boolean;
  }

  interface Field {
    type: GraphQLOutputType;
    sets: Selected[];
    isSure: boolean;
  }

  function selected(sets: readonly Selected[]): JsonSchema {
    const fields = new Map<string, Field>();
    for (const each of sets) collect(each, fields);
    const properties = [...fields].map(([name, field]): [string, JsonSchema] => [
      name,
      schemaOf(field.type, field.sets),
    ]);
    const required = [...fields].filter(([, { isSure }]) => isSure).map(([name]) => name);
    return { type: 'object', properties: Object.fromEntries(properties), required };
  }

  function collect({ type, set, isSure: isParentSure }: Selected, fields: Map<string, Field>): void {
    for (const selection of set.selections) {
      const isSure = isParentSure && (selection.directives ?? []).length === 0;
      if (selection.kind === Kind.FIELD) {
        const found = fieldType(type, selection.name.value);
        if (found === null) continue;
        const key = selection.alias?.value ?? selection.name.value;
        const field = fields.get(key) ?? { type: found, sets: [], isSure: false };
        field.isSure ||= isSure;
        if (selection.selectionSet !== undefined)
          field.sets.push({ type: inner(found), set: selection.selectionSet, isSure: true });
        fields.set(key, field);
        continue;
      }
      const fragment = selection.kind === Kind.FRAGMENT_SPREAD ? fragments.get(selection.name.value) : selection;
      if (fragment === undefined) continue;
      const condition = fragment.typeCondition?.name.value;
      const on = condition === undefined ? type : schema.getType(condition);
      collect({ type: on, set: fragment.selectionSet, isSure: isSure && on === type }, fields);
    }
  }

  function schemaOf(type: GraphQLOutputType, sets: readonly Selected[]): JsonSchema {
    return isNonNullType(type) ? present(type.ofType, sets) : orNull(present(type, sets));
  }

  function present(type: GraphQLOutputType, sets: readonly Selected[]): JsonSchema {
    if (isNonNullType(type)) return present(type.ofType, sets);
    if (isListType(type)) return { type: 'array', items: schemaOf(type.ofType, sets) };
    if (isEnumType(type)) return { type: 'string', enum: type.getValues().map(({ name }) => name) };
    return isScalarType(type) ? scalarSchema(type) : selected(sets);
  }

  function fieldType(type: unknown, name: string): GraphQLOutputType | null {
    if (name === '__typename') return schema.getType('String') as unknown as GraphQLOutputType; // every schema has it
    return isObjectType(type) || isInterfaceType(type) ? (type.getFields()[name]?.type ?? null) : null;
  }

  function inner(type: GraphQLOutputType): GraphQLObjectType | GraphQLOutputType {
    return isNonNullType(type) || isListType(type) ? inner(type.ofType) : type;
  }
}
