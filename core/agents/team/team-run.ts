import { GatewayError } from '../../contracts/gateway-error.ts';
import type { AgentStepRecord } from '../../contracts/run-store.ts';
import { noUsage } from '../../models/usage/usage-meter.ts';
import { fenced } from '../../text/fence.ts';
import { titleOf } from '../../text/title-of.ts';
import { memberOf } from '../agent.ts';
import { makePlan } from '../plan/make-plan.ts';
import { answerKey, checkKeyOf, furtherKeyOf, type Plan, type PlannedStep, plannedAtMost } from '../plan/plan.ts';
import { type KeptError, keep, once } from '../steps/keep.ts';
import { nextSteps } from '../steps/next-steps.ts';
import type { NewStep, StepResult } from '../steps/step-board.ts';
import { WaitingSteps } from '../steps/waiting-steps.ts';
import { StepWaits } from '../tool-work.ts';
import { callOf, member, stepMeter, type Work, writes } from '../work.ts';
import { answer } from './answer.ts';
import { compose, composeByRules, gather } from './compose.ts';
import type { Finding, Found, Verdict } from './finding.ts';
import { judge } from './judge.ts';
import { taskText } from './prompts.ts';
import { research } from './research.ts';
import { structuredOutput, withObject } from './structured-output.ts';

/** A team at work on one goal. */
export class TeamRun {
  readonly #work: Work;
  readonly #planned = new Map<string, PlannedStep>();
  readonly #findings = new Map<string, Finding>();
  readonly #verdicts = new Map<string, Verdict>();
  readonly #errors: KeptError[] = [];
  readonly #waiting: WaitingSteps;
  readonly #hasValidator: boolean;

  constructor(work: Work) {
    this.#work = work;
    this.#waiting = new WaitingSteps(work.io.questions);
    this.#hasValidator = memberOf(work.agent, 'VALIDATOR') !== null;
  }

  async run(): Promise<void> {
    const { board, budget } = this.#work;
    const plan = await this.#plan();
    if (plan.isCut) budget.cutPlan();
    board.add({ key: answerKey, title: 'Answer', role: 'EXECUTOR', dependsOn: [] });
    for (const step of plan.steps) this.#add(step);
    await this.#workThrough();
    await this.#answer();
  }

  async #plan(): Promise<Plan> {
    const { io, board, budget, input } = this.#work;
    const isWriter = writes(this.#work, member(this.#work, 'PLANNER'));
    const most = plannedAtMost(input.limits.maxSteps, this.#hasValidator);
    const work = () => once(io, 'plan', () => makePlan(this.#work, most, callOf(this.#work, stepMeter(this.#work))));
    try {
      return await board.aside(
        isWriter ? 'Plan' : 'Plan (by rules: no model here can write)',
        'PLANNER',
        work,
        ({ madeBy }) => !isWriter || madeBy === 'MODEL',
      );
    } catch (error) {
      if (io.signal.aborted || !budget.hasEnded(error)) throw error;
      return { steps: [], madeBy: 'RULES', isCut: false };
    }
  }

  /** A step with its check, before the answer, which waits for both. */
  #add(step: PlannedStep): void {
    const { board } = this.#work;
    const isChecked = this.#hasValidator && step.role === 'RESEARCHER';
    const lastOf = (key: string): string =>
      this.#hasValidator && this.#planned.get(key)?.role !== 'EXECUTOR' ? checkKeyOf(key) : key;
    this.#planned.set(step.key, step);
    const { key, title, role } = step;
    const steps: NewStep[] = [{ key, title, role, dependsOn: step.dependsOn.map(lastOf) }];
    if (isChecked) steps.push({ key: checkKeyOf(key), title: `Check: ${title}`, role: 'VALIDATOR', dependsOn: [key] });
    board.insert(answerKey, ...steps);
  }

  async #workThrough(): Promise<void> {
    const { board, budget, input } = this.#work;
    const running = new Map<string, Promise<void>>();
    const begin = (step: AgentStepRecord): void => {
      running.set(
        step.key,
        this.#do(step).finally(() => running.delete(step.key)),
      );
    };
    try {
      for (;;) {
        if (!budget.isSpent) for (const key of await this.#waiting.take()) begin(board.of(key));
        const graph = board.graph((step) => this.#hasResult(step)).filter(({ key }) => key !== answerKey);
        const { start, skip } = budget.isSpent
          ? { start: [], skip: [] }
          : nextSteps(graph, input.limits.maxParallel + this.#waiting.size);
        for (const key of skip) board.skip(key);
        for (const key of start) begin(board.start(key));
        if (running.size === 0) {
          this.#park();
          return board.skipRest(answerKey);
        }
        await this.#untilNews(running.values());
      }
    } catch (error) {
      // The others end by the same signal, or are waited for: nothing may be said of the run after it has ended.
      await Promise.allSettled(running.values());
      throw error;
    }
  }

  /** One of the steps has ended, or it is time to see whether one that waits was answered. */
  async #untilNews(running: Iterable<Promise<void>>): Promise<void> {
    const looking = new AbortController();
    try {
      const nextLook = this.#waiting.untilNextLook(looking.signal);
      nextLook.catch(() => {});
      await Promise.race([...running, nextLook]);
    } finally {
      looking.abort();
    }
  }

  async #do(step: AgentStepRecord): Promise<void> {
    const { io, board, budget } = this.#work;
    try {
      await (step.role === 'VALIDATOR' ? this.#check(step) : this.#lookUp(step));
    } catch (error) {
      if (io.signal.aborted) throw error;
      if (error instanceof StepWaits) {
        board.waits(step.key, error.usage);
        this.#waiting.add(step.key, error.status);
        return;
      }
      if (!budget.hasEnded(error)) throw error;
      board.finish(step.key, cancelled());
    }
  }

  /** With nothing else to do, the run waits; one whose limits are reached waits for nobody. */
  #park(): void {
    const { board, budget } = this.#work;
    if (!budget.isSpent && this.#waiting.size > 0) throw new StepWaits(this.#waiting.status, noUsage);
    for (const key of this.#waiting.keys) board.finish(key, cancelled());
  }

  async #lookUp({ key, attempt }: AgentStepRecord): Promise<void> {
    const { board } = this.#work;
    const step = this.#step(key);
    const objection = attempt === 1 ? null : (this.#verdicts.get(key)?.objection ?? '');
    const task = { step, known: this.#foundOf(step.dependsOn), objection };
    const kept = await keep(
      this.#work,
      `step/${key}/${attempt}`,
      (call) => research(this.#work, task, call),
      ({ text, citations }) => ({ output: text, citations }),
    );
    board.finish(key, kept.result);
    if (kept.error !== null) this.#errors.push(kept.error);
    if (kept.value === null) return;
    this.#findings.set(key, kept.value);
    this.#ask(key, kept.value.further);
  }

  async #check({ key, attempt, dependsOn }: AgentStepRecord): Promise<void> {
    const { board, budget } = this.#work;
    const [subject = ''] = dependsOn;
    const finding = this.#findings.get(subject);
    if (finding === undefined) throw new Error(`${key} began without a finding`);
    const kept = await keep(
      this.#work,
      `check/${subject}/${attempt}`,
      (call) => judge(this.#work, this.#step(subject), finding, call),
      said,
    );
    board.finish(key, kept.result);
    // A validator that cannot be asked leaves the finding as it is: unjudged.
    if (kept.value === null) return;
    this.#verdicts.set(subject, kept.value);
    this.#ask(subject, kept.value.further);
    if (kept.value.isAccepted || attempt > 1 || budget.isSpent) return;
    board.sendBack(subject);
    board.sendBack(key);
  }

  /** The plan grows as far as maxSteps goes; each step may ask for one more. */
  #ask(key: string, question: string | null): void {
    const { board, input } = this.#work;
    const further = furtherKeyOf(key);
    const size = this.#hasValidator ? 2 : 1;
    if (question === null || this.#planned.has(further) || board.records.length + size > input.limits.maxSteps) return;
    this.#add({
      key: further,
      title: titleOf(question) ?? question,
      task: question,
      role: 'RESEARCHER',
      dependsOn: [key],
      isFurther: true,
    });
  }

  async #answer(): Promise<void> {
    const found = this.#foundOf([...this.#planned.keys()]);
    const [error] = this.#errors;
    // Nothing was found because nobody could be asked: that is no answer.
    if (found.length === 0 && error !== undefined) throw new GatewayError(error.code, error.message, error);
    const gathered = gather(found);
    const executor = member(this.#work, 'EXECUTOR');
    const facts = gathered.findings
      .map(({ task, finding }) => `Question: ${task}\nFinding:\n${fenced(finding.text, 'findings')}`)
      .join('\n\n');
    const write = answer(this.#work, answerKey, {
      write: (call) => compose(this.#work, gathered, call),
      rescue: () => composeByRules(this.#work, gathered),
      model: this.#work.services.models.chatModel(executor.model).name,
    });
    this.#work.output.object = await withObject(write, structuredOutput(this.#work, executor, facts));
  }

  #step(key: string): PlannedStep {
    const step = this.#planned.get(key);
    if (step === undefined) throw new Error(`${key} is no step of the plan`);
    return step;
  }

  #foundOf(keys: readonly string[]): Found[] {
    return keys.flatMap((key) => {
      const finding = this.#findings.get(key);
      const step = this.#step(key);
      const verdict = this.#verdicts.get(key) ?? null;
      return finding === undefined ? [] : [{ key, title: step.title, task: taskText(step), finding, verdict }];
    });
  }

  #hasResult({ key, dependsOn, role }: AgentStepRecord): boolean {
    return this.#findings.has(role === 'VALIDATOR' ? (dependsOn[0] ?? '') : key);
  }
}

const cancelled = (): StepResult => ({
  status: 'CANCELLED',
  output: null,
  usage: noUsage,
  finishedAt: new Date().toISOString(),
});

function said({ isAccepted, objection }: Verdict): { readonly output: string } {
  return { output: isAccepted ? 'Accepted.' : `Weak: ${objection}` };
}
