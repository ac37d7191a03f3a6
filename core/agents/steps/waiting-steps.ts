import type { ParkedStatus } from '../../contracts/run-store.ts';
import type { Questions } from '../../runs/live-run.ts';

/** The steps of a team that wait for a person or the app, whether others work meanwhile or not. */
export class WaitingSteps {
  readonly #questions: Pick<Questions, 'hasNews' | 'untilNews'> | null;
  readonly #steps = new Map<string, ParkedStatus>();

  constructor(questions: Pick<Questions, 'hasNews' | 'untilNews'> | null) {
    this.#questions = questions;
  }

  get size(): number {
    return this.#steps.size;
  }

  get keys(): readonly string[] {
    return [...this.#steps.keys()];
  }

  /** What the run waits for once nothing else is left to do. */
  get status(): ParkedStatus {
    return [...this.#steps.values()].includes('AWAITING_APPROVAL') ? 'AWAITING_APPROVAL' : 'AWAITING_TOOL_RESULT';
  }

  add(key: string, status: ParkedStatus): void {
    this.#steps.set(key, status);
  }

  /** Whether somebody has answered one of them: then they are to be gone on with, and wait no more here. */
  async take(): Promise<readonly string[]> {
    if (this.size === 0 || !(await this.#questions?.hasNews())) return [];
    const { keys } = this;
    this.#steps.clear();
    return keys;
  }

  /** Until it is worth looking again, while others work; rejects when aborted. Never resolves while none waits. */
  async untilNextLook(signal: AbortSignal): Promise<void> {
    if (this.size > 0 && this.#questions !== null) await this.#questions.untilNews(signal);
    else
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
  }
}
