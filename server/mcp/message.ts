/** What the gateway itself looks at in a JSON-RPC message; the rest is the SDK's. */
export interface Message {
  readonly method: string | null;
  readonly id: string | number | null;
  readonly params: Readonly<Record<string, unknown>>;
  readonly whole: unknown;
}

/**
 * The message of a body; a text: why it is none. Batches are of an old revision of the protocol, and none of its clients sends them: a hundred calls would be one
 * request to every limit.
 */
export function messageOf(body: Buffer): Message | string {
  let whole: unknown;
  try {
    whole = JSON.parse(body.toString());
  } catch {
    return 'The body must be a JSON-RPC message; it is not valid JSON.';
  }
  if (!isObject(whole)) {
    const came = Array.isArray(whole) ? 'a batch' : JSON.stringify(whole).slice(0, 60);
    return `The body must be one JSON-RPC message, got ${came}.`;
  }
  const { method, id, params } = whole;
  return {
    method: typeof method === 'string' ? method : null,
    id: typeof id === 'string' || typeof id === 'number' ? id : null,
    params: isObject(params) ? params : {},
    whole,
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
