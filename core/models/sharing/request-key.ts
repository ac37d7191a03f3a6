import { inputHash } from '../../runs/input-hash.ts';
import type { ModelRequest } from '../models.ts';

/**
 * Equal for what may share an answer, and for nothing else: the tenant, how it is asked for, the model (with its provider)
 * or route by its resolved name, and every part of the request. A hash, so that no text of a tenant stands in a key.
 */
export function requestKey(
  tenant: string,
  kind: 'chat' | 'complete',
  model: string,
  { model: _named, ...request }: ModelRequest,
): string {
  return inputHash({ tenant, kind, model, request });
}
