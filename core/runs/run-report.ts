import type { TerminalEvent } from '../contracts/run-event.ts';
import type { RunEnd, RunObserver } from '../contracts/run-observer.ts';
import type { LiveRun, RunResult } from './live-run.ts';
import { statusOf } from './terminal.ts';

/** What an observer is told of one attempt at a run, gathered on its way. */
export class RunReport {
  readonly #live: LiveRun;
  readonly #observer: RunObserver | undefined;
  #firstTextAt: number | null = null;
  #model: string | null = null;
  #terminal: TerminalEvent | null = null;

  constructor(live: LiveRun, observer: RunObserver | undefined) {
    this.#live = live;
    this.#observer = observer;
    observer?.began(live.run, performance.now() - live.heldSince);
  }

  /** Called with every delta: only the first one counts. */
  wroteText(): void {
    this.#firstTextAt ??= performance.now();
  }

  /** What the executor left, and what the run is said to have ended with. */
  ends(result: RunResult, terminal: TerminalEvent): void {
    this.#model = result.reply?.model ?? null;
    this.#terminal = terminal;
  }

  /** It was taken away, or given back: whatever it would have ended with is another instance's to say. */
  leaves(): void {
    this.#terminal = null;
  }

  send(): void {
    const { run, meter, heldSince, trace } = this.#live;
    const terminal = this.#terminal;
    const end: RunEnd = {
      ...endOf(terminal),
      model: this.#model,
      usage: meter.usage,
      durationMs: performance.now() - heldSince,
      firstTokenMs: this.#firstTextAt === null ? null : this.#firstTextAt - heldSince,
    };
    this.#observer?.ended(run, end);
    trace.end(end);
  }
}

function endOf(terminal: TerminalEvent | null): Pick<RunEnd, 'status' | 'code'> {
  if (terminal === null) return { status: 'LEFT', code: null };
  const status = statusOf(terminal) as Exclude<RunEnd['status'], 'LEFT'>; // a terminal event is never of a run under way
  if (terminal.type === 'RunFailed') return { status, code: terminal.error.code };
  return { status, code: terminal.type === 'RunCancelled' ? 'CANCELLED' : null };
}
