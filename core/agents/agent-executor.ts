import { GatewayError } from '../contracts/gateway-error.ts';
import type { Executor, RunResult } from '../runs/live-run.ts';
import { CallIds } from '../tools/loop/call-ids.ts';
import type { AgentInput } from './agent-input.ts';
import type { AgentServices } from './agent-services.ts';
import { agentNamed } from './agents.ts';
import { runAssistant } from './assistant-run.ts';
import { readHistory } from './history.ts';
import { agentDetail, Output } from './output.ts';
import { Budget } from './steps/budget.ts';
import { StepBoard } from './steps/step-board.ts';
import { TeamRun } from './team/team-run.ts';
import { StepWaits } from './tool-work.ts';
import type { Work } from './work.ts';

/**
 * A run of an agent, from its row and input alone. What steps have brought is kept as they end, so that an instance which goes on
 * with the run does none of them again. Whatever happens, the steps and what there is of the output are handed back to be kept.
 */
export function agentExecutor(services: AgentServices): Executor {
  return async (io, stored) => {
    const input = stored as AgentInput; // what startAgent gave to the store
    const detail = agentDetail(io);
    const agent = agentNamed(services.agents, input.agent);
    using budget = new Budget(io, input.limits);
    const output = new Output(io);
    const board = new StepBoard(io, (steps) => ({ ...detail, steps }));
    const callIds = new CallIds(io.begun);
    const signal = AbortSignal.any([io.signal, budget.signal]);
    const work: Omit<Work, 'history'> = { services, io, agent, input, board, budget, output, signal, callIds };
    let failure: Pick<RunResult, 'error'> = {};
    try {
      const history = await readHistory(services.conversations, io, input);
      await (agent.topology === 'TEAM' ? new TeamRun({ ...work, history }).run() : runAssistant({ ...work, history }));
    } catch (error) {
      failure = { error };
      // Another instance goes on with the steps: none of them ends here.
      if (io.hasDeparted()) return failure;
      if (error instanceof StepWaits && !io.signal.aborted) {
        await board.settled();
        return { detail: { ...detail, steps: board.records }, parked: error.status };
      }
      const isCancelled = io.signal.reason instanceof GatewayError && io.signal.reason.code === 'CANCELLED';
      output.breakOff(isCancelled ? 'CANCELLED' : 'ERROR');
    }
    board.endOpen(io.signal.aborted ? 'CANCELLED' : 'FAILED');
    await board.settled();
    const record = output.isEmpty ? null : output.record(input.agent);
    const reply = output.isEmpty ? null : output.message(input.agent);
    return {
      detail: { ...detail, steps: board.records, output: record },
      ...(reply === null ? {} : { reply }),
      ...failure,
    };
  };
}
