function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The smallest value that satisfies a JSON Schema of the common kind: types, enum, const, required, items, minimum, anyOf. */
export function jsonFor(schema: unknown): unknown {
  if (!isRecord(schema)) return null;
  if ('const' in schema) return schema['const'];
  for (const choice of ['enum', 'examples']) {
    const values = schema[choice];
    if (Array.isArray(values) && values.length > 0) return values[0];
  }
  for (const choice of ['anyOf', 'oneOf', 'allOf']) {
    const schemas = schema[choice];
    if (Array.isArray(schemas) && schemas.length > 0) return jsonFor(schemas[0]);
  }
  const type: unknown = Array.isArray(schema['type']) ? schema['type'][0] : schema['type'];
  if (type === 'object' || isRecord(schema['properties'])) return objectFor(schema);
  if (type === 'array') return Array.from({ length: number(schema['minItems']) }, () => jsonFor(schema['items']));
  if (type === 'string') return 'text'.padEnd(number(schema['minLength']), '.');
  if (type === 'number' || type === 'integer') return number(schema['minimum']);
  if (type === 'boolean') return true;
  return null;
}

/** Every property, not only the required ones: apps look at what they declared. */
function objectFor(schema: Record<string, unknown>): Record<string, unknown> {
  const properties = isRecord(schema['properties']) ? schema['properties'] : {};
  return Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, jsonFor(property)]));
}

function number(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
