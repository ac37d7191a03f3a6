import type { CitationRecord, StepStatus, ToolCallRecord } from '../../contracts/run-event.ts';
import type { AgentStepRecord } from '../../contracts/run-store.ts';
import type { Usage } from '../../contracts/usage.ts';
import { noUsage } from '../../models/usage/usage-meter.ts';
import type { RunIo } from '../../runs/live-run.ts';
import { type GraphStep, isOver } from './next-steps.ts';

export type NewStep = Pick<AgentStepRecord, 'key' | 'title' | 'role' | 'dependsOn'>;

/** What a step leaves, as it is kept over attempts of the run. */
export interface StepResult {
  readonly status: Extract<StepStatus, 'SUCCEEDED' | 'FAILED' | 'CANCELLED'>;
  readonly output: string | null;
  readonly citations?: readonly CitationRecord[];
  readonly usage: Usage;
  /** RFC 3339: the instance that did it may be another one. */
  readonly finishedAt: string;
}

/**
 * The steps of a run as they stand: what `AgentRun.steps` shows, and what the log says of them. An attempt that goes on where
 * another one died passes the same ways again, and what the log says already is not said twice.
 */
export class StepBoard {
  readonly #io: RunIo;
  readonly #steps = new Map<string, AgentStepRecord>();
  readonly #said = new Map<string | null, { started: number; finished: number }>();
  /** As the attempt before this one had them. */
  readonly #earlier: ReadonlyMap<string, AgentStepRecord>;
  readonly #detailOf: (steps: readonly AgentStepRecord[]) => RunIo['run']['detail'];
  #isDirty = false;
  #saving: Promise<void> | null = null;

  constructor(io: RunIo, detailOf: (steps: readonly AgentStepRecord[]) => RunIo['run']['detail']) {
    this.#io = io;
    this.#detailOf = detailOf;
    const { detail } = io.run;
    this.#earlier = new Map(detail.kind === 'AGENT' ? detail.steps.map((step) => [step.key, step]) : []);
  }

  get records(): readonly AgentStepRecord[] {
    return [...this.#steps.values()];
  }

  of(key: string): AgentStepRecord {
    const step = this.#steps.get(key);
    if (step === undefined) throw new Error(`there is no step ${key}`);
    return step;
  }

  /** `hasResult` says of a step that has ended whether there is something to build on. */
  graph(hasResult: (step: AgentStepRecord) => boolean): readonly GraphStep[] {
    return this.records.map((step) => ({ ...step, hasResult: isOver(step.status) && hasResult(step) }));
  }

  /** In the order of the plan. */
  add(...steps: readonly NewStep[]): void {
    for (const step of steps) {
      this.#steps.set(step.key, {
        ...step,
        ...{ status: 'PENDING', attempt: 1, startedAt: null, finishedAt: null },
        ...{ toolCalls: [], output: null, citations: [], usage: noUsage },
      });
    }
    this.#changed();
  }

  /** Before the last step, which waits for the last one of these too. */
  insert(last: string, ...steps: readonly NewStep[]): void {
    const step = this.of(last);
    const newest = steps.at(-1)?.key;
    this.#steps.delete(last);
    this.add(...steps);
    this.#steps.set(last, newest === undefined ? step : { ...step, dependsOn: [...step.dependsOn, newest] });
  }

  start(key: string): AgentStepRecord {
    const step = this.of(key);
    const earlier = this.#earlier.get(key);
    const known = earlier?.attempt === step.attempt ? earlier.startedAt : null;
    const startedAt = step.startedAt ?? known ?? new Date().toISOString();
    // What it cost before it had to wait is in nothing that is kept of it.
    const usage = earlier?.attempt === step.attempt && earlier.status === 'RUNNING' ? earlier.usage : step.usage;
    const started = this.#set(key, { status: 'RUNNING', startedAt, finishedAt: null, usage });
    this.#say(key, 'started', () => this.#sayStart(key, step.title, step.role));
    return started;
  }

  finish(key: string, { status, output, citations = [], usage, finishedAt }: StepResult): void {
    const { attempt, usage: before } = this.of(key);
    const earlier = this.#earlier.get(key);
    const isKnown = earlier?.attempt === attempt && isOver(earlier.status);
    const total = isKnown ? earlier.usage : sum(before, usage);
    this.#set(key, { status, output, citations, usage: total, finishedAt });
    this.#say(key, 'finished', () => this.#io.emit({ type: 'StepFinished', step: key, stepStatus: status }));
  }

  /** It was never started, and never will be. */
  skip(key: string): void {
    this.#set(key, { status: 'SKIPPED' });
  }

  /** All that were never started, but for the last step. */
  skipRest(last: string): void {
    for (const { key, status } of this.records) if (status === 'PENDING' && key !== last) this.skip(key);
  }

  /** Its check found it weak: once more from the beginning. */
  sendBack(key: string): void {
    const { attempt } = this.of(key);
    this.#set(key, { status: 'PENDING', attempt: attempt + 1, startedAt: null, finishedAt: null });
  }

  /** It waits, and this is what it has cost until then. */
  waits(key: string, usage: Usage): void {
    this.#set(key, { usage: sum(this.of(key).usage, usage) });
  }

  /** A state of one of its tool calls. */
  called(key: string, call: ToolCallRecord): void {
    const { toolCalls } = this.of(key);
    const place = toolCalls.findIndex(({ id }) => id === call.id);
    this.#set(key, { toolCalls: place < 0 ? [...toolCalls, call] : toolCalls.with(place, call) });
  }

  /** What every run does, and is no step of its plan: planning. */
  async aside<T>(
    title: string,
    role: AgentStepRecord['role'],
    work: () => Promise<T>,
    isGood: (result: T) => boolean,
  ): Promise<T> {
    this.#say(null, 'started', () => this.#sayStart(null, title, role));
    let stepStatus: StepStatus = 'FAILED';
    try {
      const result = await work();
      if (isGood(result)) stepStatus = 'SUCCEEDED';
      return result;
    } finally {
      this.#say(null, 'finished', () => this.#io.emit({ type: 'StepFinished', step: null, stepStatus }));
    }
  }

  /** Whatever was under way or was to come ends so; also what the log of an earlier attempt leaves open. */
  endOpen(running: 'CANCELLED' | 'FAILED'): void {
    const finishedAt = new Date().toISOString();
    for (const { key, status } of this.records) {
      if (status === 'PENDING') this.skip(key);
      if (status === 'RUNNING') this.finish(key, { status: running, output: null, usage: noUsage, finishedAt });
    }
    for (const [step, { started, finished }] of this.#io.begun.steps) {
      const ended = Math.max(finished, this.#said.get(step)?.finished ?? 0);
      if (started <= ended) continue;
      const stepStatus = step === null ? running : (this.#steps.get(step)?.status ?? running);
      this.#io.emit({ type: 'StepFinished', step, stepStatus });
    }
  }

  /** Resolves when nothing more of it will be written. */
  async settled(): Promise<void> {
    await this.#saving;
  }

  #sayStart(step: string | null, title: string, role: AgentStepRecord['role']): void {
    this.#io.emit({ type: 'StepStarted', step, title, role });
  }

  #set(key: string, patch: Partial<AgentStepRecord>): AgentStepRecord {
    const step = { ...this.of(key), ...patch };
    this.#steps.set(key, step);
    this.#changed();
    return step;
  }

  /** The nth time of a step is in the log if it has that many. */
  #say(key: string | null, what: 'started' | 'finished', emit: () => void): void {
    const said = this.#said.get(key) ?? { started: 0, finished: 0 };
    said[what] += 1;
    this.#said.set(key, said);
    const inLog = this.#io.begun.steps.get(key)?.[what] ?? 0;
    if (said[what] > inLog) emit();
  }

  /** One write at a time, of the newest state: many changes at once cost one. Progress only: what is worth keeping is kept by `once`. */
  #changed(): void {
    this.#isDirty = true;
    this.#saving ??= this.#save().finally(() => {
      this.#saving = null;
    });
  }

  async #save(): Promise<void> {
    while (this.#isDirty) {
      await Promise.resolve();
      this.#isDirty = false;
      const patch = { detail: this.#detailOf(this.records), usage: this.#io.meter.usage };
      await this.#io.save(patch).catch(() => {});
    }
  }
}

function sum(left: Usage, right: Usage): Usage {
  return {
    inputTokens: left.inputTokens + right.inputTokens,
    cachedInputTokens: left.cachedInputTokens + right.cachedInputTokens,
    outputTokens: left.outputTokens + right.outputTokens,
    calls: left.calls + right.calls,
    costUsd: left.costUsd === null || right.costUsd === null ? null : left.costUsd + right.costUsd,
    estimated: left.estimated || right.estimated,
  };
}
