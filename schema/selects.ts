import { BREAK, type GraphQLResolveInfo, visit } from 'graphql';

/** Whether the operation names the field anywhere, its fragments included: what is not selected need not be built. */
export function selects(info: GraphQLResolveInfo, fieldName: string): boolean {
  let found = false;
  for (const node of [...info.fieldNodes, ...Object.values(info.fragments)]) {
    visit(node, {
      Field({ name }) {
        if (name.value !== fieldName) return undefined;
        found = true;
        return BREAK;
      },
    });
  }
  return found;
}
