import type { CheckpointStore } from '../contracts/checkpoint-store.ts';
import type { Clock } from '../contracts/clock.ts';
import { FencedError } from '../contracts/event-log.ts';
import type { Json } from '../contracts/filter.ts';
import type { ParkedRuns } from '../contracts/parked-runs.ts';
import type { RunEvent } from '../contracts/run-event.ts';
import type { RunPatch, RunRecord, RunStore } from '../contracts/run-store.ts';
import type { UsageMeter } from '../models/usage/usage-meter.ts';
import { type Begun, subjectOf } from './begun.ts';
import type { DeltaWriter } from './delta-writer.ts';
import type { LiveRun, Questions, RunIo } from './live-run.ts';
import { questionsOf } from './questions.ts';
import type { RunReport } from './run-report.ts';
import { WorkOnce } from './work-once.ts';

interface Parts {
  readonly store: RunStore;
  readonly report: RunReport;
  readonly checkpoints: CheckpointStore;
  readonly parked: ParkedRuns;
  readonly clock: Clock;
}

/** What an executor is given, over the log and the store of its run. */
export class AttemptIo implements RunIo {
  readonly run: RunRecord;
  readonly begun: AlsoSaid;
  readonly questions: Questions | null;
  readonly #live: LiveRun;
  readonly #writer: DeltaWriter;
  readonly #parts: Parts;
  /** Most runs ask for none. */
  #workOnce: WorkOnce | null = null;

  constructor(live: LiveRun, begun: Begun, writer: DeltaWriter, parts: Parts) {
    const { run } = live;
    this.run = run;
    this.begun = new AlsoSaid(begun);
    this.#live = live;
    this.#writer = writer;
    this.#parts = parts;
    const { parked, clock } = parts;
    const onLost = () => live.depart('lost');
    this.questions = run.stored ? questionsOf(run, { parked, clock, bell: live.bell, onLost }) : null;
  }

  get signal(): AbortSignal {
    return this.#live.signal;
  }

  get meter(): UsageMeter {
    return this.#live.meter;
  }

  emit(event: RunEvent): void {
    if (event.type === 'TextMessageDelta') this.#parts.report.wroteText();
    this.begun.say(event);
    this.#writer.write(event);
  }

  async once<T extends Json>(key: string, work: () => Promise<T>): Promise<T> {
    try {
      this.#workOnce ??= this.#newWorkOnce();
      return await this.#workOnce.do(key, work);
    } catch (error) {
      // Whoever does work may take a failure in its stride. This one ends the attempt.
      if (error instanceof FencedError) this.#live.depart('lost');
      throw error;
    }
  }

  timeLeftMs(): number | null {
    return this.#live.timeLeftMs;
  }

  hasDeparted(): boolean {
    return this.#live.departure !== null;
  }

  async save(patch: Pick<RunPatch, 'detail' | 'usage'>): Promise<void> {
    const { run } = this;
    if (!(await this.#parts.store.update(run, run.attempt, patch))) throw new FencedError(run, run.attempt);
  }

  #newWorkOnce(): WorkOnce {
    const { run, signal } = this;
    const { checkpoints, clock } = this.#parts;
    const flush = () => this.#writer.flush();
    return new WorkOnce({ run, clock, signal, flush, checkpoints: run.stored ? checkpoints : null });
  }
}

/** What was begun before, and what this attempt has said once for all: a step that waits is gone through again when its call is answered. */
class AlsoSaid implements Begun {
  readonly started: boolean;
  readonly messages: Begun['messages'];
  readonly toolCalls: Begun['toolCalls'];
  readonly endedMessages: Begun['endedMessages'];
  readonly steps: Begun['steps'];
  readonly isLost: boolean;
  readonly #before: Begun;
  #said: Set<string> | null = null;

  constructor(before: Begun) {
    this.started = before.started;
    this.messages = before.messages;
    this.toolCalls = before.toolCalls;
    this.endedMessages = before.endedMessages;
    this.steps = before.steps;
    this.isLost = before.isLost;
    this.#before = before;
  }

  say(event: RunEvent): void {
    const subject = subjectOf(event);
    if (subject === null) return;
    this.#said ??= new Set();
    this.#said.add(subject);
  }

  hasSaid(event: RunEvent): boolean {
    return this.#before.hasSaid(event) || this.#said?.has(subjectOf(event) ?? '') === true;
  }
}
