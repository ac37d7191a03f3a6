import { randomUUID } from 'node:crypto';
import { stableRunId } from '../ag-ui/stable-run-id.ts';

/**
 * The run behind a request. Of one with a session it is always the same: the client's word that it cancels the request comes as another
 * request, maybe to another instance, and names only the two. A request without a session is cancelled by closing it.
 */
export function runIdOf(tenant: string, session: string | null, request: string | number | null): string {
  if (session === null || request === null) return randomUUID();
  return stableRunId(tenant, `mcp ${session}`, `request ${JSON.stringify(request)}`);
}
