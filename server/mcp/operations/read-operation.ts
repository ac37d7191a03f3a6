import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  parse,
  validate,
  visit,
} from 'graphql';

export interface ReadOperation {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
}

/** One query or mutation that the schema takes; texts: what is wrong with it. */
export function readOperation(schema: GraphQLSchema, text: string): ReadOperation | readonly string[] {
  let document: DocumentNode;
  try {
    document = parse(text);
  } catch (error) {
    return [error instanceof GraphQLError ? placed(error) : String(error)];
  }
  const faults = validate(schema, document);
  if (faults.length > 0) return faults.map(placed);
  const operations = document.definitions.filter((node) => node.kind === Kind.OPERATION_DEFINITION);
  const [operation, ...more] = operations;
  if (operation === undefined || more.length > 0) return [`expected one operation, got ${operations.length}`];
  if (operation.operation === 'subscription') return ['expected a query or a mutation, got a subscription'];
  const parts: string[] = [];
  visit(document, {
    Directive: ({ name }) => {
      if (name.value === 'defer' || name.value === 'stream') parts.push(`@${name.value}`);
    },
  });
  if (parts.length > 0) return [`expected a result in one part, got ${parts.join(', ')}`];
  return { document, operation };
}

function placed({ message, locations }: GraphQLError): string {
  const [at] = locations ?? [];
  return at === undefined ? message : `${message} (line ${at.line}, column ${at.column})`;
}
