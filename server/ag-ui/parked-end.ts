import type { AwaitedCallRecord } from '../../core/contracts/parked-runs.ts';
import { writeCallId, writeInterruptId } from './call-ids.ts';
import type { Interrupt, RunOutcome } from './events.ts';

/**
 * How a stream ends whose run waits. Who has to be asked is an interrupt, which `resume` answers; a tool of the front end is a call
 * without a result, which a tool message answers. Where there are both, the outcome is that of the question.
 */
export function parkedOutcome(runId: string, waiting: readonly AwaitedCallRecord[]): RunOutcome {
  const questions = waiting.filter(({ awaits }) => awaits === 'AWAITING_APPROVAL');
  if (questions.length > 0) return { type: 'interrupt', interrupts: questions.map((call) => interruptOf(runId, call)) };
  return { type: 'success', pendingToolCallIds: waiting.map(({ callId }) => writeCallId({ runId, callId })) };
}

function interruptOf(runId: string, call: AwaitedCallRecord): Interrupt {
  const { callId, round, tool, arguments: args, parameters, reason } = call;
  const rest = {
    reason: { type: 'string', description: 'Of a refusal: the model is told.' },
    // What has begun before can only be done as it was.
    ...(reason === null ? { editedArgs: parameters } : {}),
  };
  return {
    ...{ id: writeInterruptId({ runId, callId }, round), reason: 'tool_call' },
    message: reason === null ? `May ${tool} be called?` : `${reason} May ${tool} be called again?`,
    toolCallId: writeCallId({ runId, callId }),
    responseSchema: {
      ...{ type: 'object', required: ['approved'], additionalProperties: false },
      properties: { approved: { type: 'boolean' }, ...rest },
    },
    metadata: { sluice: { tool, arguments: args } },
  };
}
