import { GatewayError } from '../core/contracts/gateway-error.ts';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** A Relay id: opaque to clients, base64url of `Type:uuid` inside. */
export function encodeId(typename: string, id: string): string {
  return Buffer.from(`${typename}:${id}`).toString('base64url');
}

/** Null when it is no id that this gateway gave out. */
export function parseId(globalId: string): { readonly typename: string; readonly id: string } | null {
  const [typename = '', id = '', ...rest] = Buffer.from(globalId, 'base64url').toString().split(':');
  return rest.length === 0 && /^[A-Z][A-Za-z]*$/.test(typename) && uuid.test(id) ? { typename, id } : null;
}

/** The id inside, of the type that was expected; BAD_INPUT names the argument otherwise. */
export function decodeId(typename: string, globalId: string, name: string): string {
  const parsed = parseId(globalId);
  if (parsed?.typename === typename) return parsed.id;
  throw new GatewayError('BAD_INPUT', `${name} must be the id of a ${typename}, got "${globalId.slice(0, 60)}".`);
}
