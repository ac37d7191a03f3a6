import DataLoader from 'dataloader';
import type { ParkedRuns } from '../core/contracts/parked-runs.ts';
import type { ToolCallRecord } from '../core/contracts/run-event.ts';
import type { CallOptions } from '../core/models/models.ts';

const maxBatchSize = 500;

/** By the id of their run: the calls that a person must resolve. */
export function pendingApprovalsLoader(
  parkedRuns: Pick<ParkedRuns, 'unanswered'>,
  { tenant, signal }: CallOptions,
): DataLoader<string, readonly ToolCallRecord[]> {
  return new DataLoader(
    async (runIds) => {
      const calls = await parkedRuns.unanswered(tenant, runIds, signal);
      const approvals = calls.filter(({ awaits }) => awaits === 'AWAITING_APPROVAL');
      const byRun = Map.groupBy(approvals, ({ runId }) => runId);
      return runIds.map((runId) =>
        (byRun.get(runId) ?? []).map(({ callId, tool, arguments: args, reason }) => ({
          ...{ id: callId, tool, arguments: args, status: 'AWAITING_APPROVAL' as const },
          result: reason === null ? null : { error: reason },
        })),
      );
    },
    { name: 'pendingApprovals', maxBatchSize },
  );
}
