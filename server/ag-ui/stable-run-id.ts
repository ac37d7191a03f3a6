import { createHash } from 'node:crypto';

/** Of our own, chosen once at random: changing it would give every run another id. */
const namespace = Buffer.from('8d1c0f3a5b2e4c6f9a7d3e1b4f6082c5', 'hex');
const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * The UUID under which a run of AG-UI is known to the graph. A client's UUID stays itself. Any other text becomes the
 * UUID of version 5 (RFC 9562, section 5.5) of the JSON list `[tenant, threadId, runId]`: always the same, and apart from the
 * `run-1` of another thread.
 */
export function stableRunId(tenant: string, threadId: string, runId: string): string {
  if (uuidForm.test(runId)) return runId.toLowerCase();
  const name = JSON.stringify([tenant, threadId, runId]);
  const bytes = createHash('sha1').update(namespace).update(name).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
