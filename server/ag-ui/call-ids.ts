/**
 * Tool calls and the questions about them, as they are named on the wire. An id tells its run, so that the request which brings an
 * answer finds the run that waits for it, at any instance and with nothing remembered.
 */

interface NamedCall {
  readonly runId: string;
  readonly callId: string;
}

const callForm = /^(.{1,100})@([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/s;
const questionForm = /^approval-(\d{1,6}):(.*)$/s;

export function writeCallId({ runId, callId }: NamedCall): string {
  return `${callId}@${runId}`;
}

/** Null: it is of another agent. */
export function readCallId(id: string): NamedCall | null {
  const [, callId, runId] = callForm.exec(id) ?? [];
  return callId === undefined || runId === undefined ? null : { callId, runId };
}

/** `round` counts the questions about one call. */
export function writeInterruptId(call: NamedCall, round: number): string {
  return `approval-${round}:${writeCallId(call)}`;
}

export function readInterruptId(id: string): (NamedCall & { readonly round: number }) | null {
  const [, round = '', rest = ''] = questionForm.exec(id) ?? [];
  const call = readCallId(rest);
  return call === null ? null : { ...call, round: Number(round) };
}
