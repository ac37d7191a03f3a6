import type { RunEvent } from '../../core/contracts/run-event.ts';
import type { AgUiEvent } from './events.ts';

/** What every run does, and is no step of its plan. */
const planning = 'plan';

/** The steps of an agent that have begun and not ended. */
export class OpenSteps {
  /** By name, with what opens each. */
  readonly #open = new Map<string, AgUiEvent>();

  start({ step, title, role }: Extract<RunEvent, { type: 'StepStarted' }>): AgUiEvent[] {
    const stepName = step ?? planning;
    const started: AgUiEvent = { type: 'STEP_STARTED', stepName, metadata: { sluice: { title, role } } };
    const isOpen = this.#open.has(stepName);
    this.#open.set(stepName, started);
    return isOpen ? [] : [started];
  }

  /** One whose beginning was missed is not known to the client. */
  finish({ step, stepStatus }: Extract<RunEvent, { type: 'StepFinished' }>): AgUiEvent[] {
    const stepName = step ?? planning;
    if (!this.#open.delete(stepName)) return [];
    return [{ type: 'STEP_FINISHED', stepName, metadata: { sluice: { stepStatus } } }];
  }

  /** What a stream that goes on must open again. */
  opened(): AgUiEvent[] {
    return [...this.#open.values()];
  }

  /** For the end of a stream; the steps stay as they are. */
  ends(): AgUiEvent[] {
    return [...this.#open.keys()].map((stepName) => ({ type: 'STEP_FINISHED', stepName }));
  }
}
