import { GatewayError } from '../core/contracts/gateway-error.ts';
import { nodeScopes } from './node-scopes.ts';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The types whose ids are no UUIDs: agents are known by their names, steps by their run and their key. */
const otherIds: Readonly<Record<string, RegExp>> = {
  Agent: /^[\w.-]{1,64}$/,
  AgentStep: /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\/[A-Za-z0-9_-]{1,200}$/,
};

/** A Relay id: opaque to clients, base64url of `Type:uuid` inside. */
export function encodeId(typename: string, id: string): string {
  return Buffer.from(`${typename}:${id}`).toString('base64url');
}

/** Null when it is no id that this gateway gave out. */
export function parseId(globalId: string): { readonly typename: string; readonly id: string } | null {
  const [typename = '', id = '', ...rest] = Buffer.from(globalId, 'base64url').toString().split(':');
  const pattern = otherIds[typename] ?? uuid;
  return rest.length === 0 && Object.hasOwn(nodeScopes, typename) && pattern.test(id) ? { typename, id } : null;
}

/** The id inside, of the type that was expected; BAD_INPUT names the argument otherwise. */
export function decodeId(typename: string, globalId: string, name: string): string {
  const parsed = parseId(globalId);
  if (parsed?.typename === typename) return parsed.id;
  throw new GatewayError('BAD_INPUT', `${name} must be the id of a ${typename}, got "${globalId.slice(0, 60)}".`);
}

/** `nodes` is a list without pages: its length is bounded as that of a page. */
export function checkIds({ length }: readonly unknown[], maxFirst: number): void {
  if (length <= maxFirst) return;
  throw new GatewayError('BAD_INPUT', `ids must hold at most ${maxFirst} ids (limits.maxFirst), got ${length}.`);
}
