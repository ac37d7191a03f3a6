import type { EmbeddingLimits } from '../../contracts/model-provider.ts';
import { type Caller, type EmbeddingJob, mostTokensOf, sumOfTokens, tokensOf } from './embedding-job.ts';

/** First in, first out without the cost of `shift` on a long array. */
interface Line {
  readonly jobs: EmbeddingJob[];
  head: number;
}

/**
 * Texts that wait for a call. Every call takes one text of each tenant in turn, and within a tenant one of each caller in turn:
 * a query that comes behind ten thousand texts of an ingest is in the very next call.
 */
export class EmbeddingQueue {
  /** The Maps' orders are the turns: whoever was served goes to the end. */
  readonly #tenants = new Map<string, Map<Caller, Line>>();
  readonly #waitingOf = new Map<string, number>();
  #size = 0;

  /** Texts in state WAITING. */
  get size(): number {
    return this.#size;
  }

  sizeOf(tenant: string): number {
    return this.#waitingOf.get(tenant) ?? 0;
  }

  add(job: EmbeddingJob, caller: Caller): void {
    this.#count(job.tenant, 1);
    this.queueAlso(job, caller);
  }

  /** A job that another caller waits for already stands in this caller's line too: whichever turn comes first gets it done. */
  queueAlso(job: EmbeddingJob, caller: Caller): void {
    let lines = this.#tenants.get(job.tenant);
    if (lines === undefined) {
      lines = new Map();
      this.#tenants.set(job.tenant, lines);
    }
    const line = lines.get(caller);
    if (line === undefined) lines.set(caller, { jobs: [job], head: 0 });
    else line.jobs.push(job);
  }

  /** Nobody waits for it any more. Its places in the lines are skipped when their turn comes. */
  drop(job: EmbeddingJob): void {
    job.state = 'DROPPED';
    this.#count(job.tenant, -1);
  }

  /** The next call's texts, within the limits; a single text that exceeds `maxTokens` by itself goes alone. */
  take(limits: EmbeddingLimits, mayCall: (caller: Caller) => boolean): EmbeddingJob[] {
    const taken: EmbeddingJob[] = [];
    let tokens = 0;
    let isCounted = false;
    while (taken.length < limits.maxTexts) {
      const turn = this.#nextTurn(mayCall);
      if (turn === null) break;
      const { job, lines, caller, line } = turn;
      // What has too many bytes may have few enough tokens.
      if (!isCounted && tokens + mostTokensOf(job) > limits.maxTokens) {
        isCounted = true;
        tokens = sumOfTokens(taken);
      }
      const own = isCounted ? tokensOf(job) : mostTokensOf(job);
      if (taken.length > 0 && tokens + own > limits.maxTokens) break;
      tokens += own;
      taken.push(job);
      job.state = 'CALLED';
      line.head += 1;
      toEnd(lines, caller, line);
      toEnd(this.#tenants, job.tenant, lines);
      this.#count(job.tenant, -1);
    }
    return taken;
  }

  #nextTurn(mayCall: (caller: Caller) => boolean): Turn | null {
    for (const [tenant, lines] of this.#tenants) {
      for (const [caller, line] of lines) {
        const job = firstWaiting(line);
        if (job === null) lines.delete(caller);
        else if (mayCall(caller)) return { job, lines, caller, line };
      }
      if (lines.size === 0) this.#tenants.delete(tenant);
    }
    return null;
  }

  #count(tenant: string, change: 1 | -1): void {
    this.#size += change;
    const waiting = this.sizeOf(tenant) + change;
    if (waiting === 0) this.#waitingOf.delete(tenant);
    else this.#waitingOf.set(tenant, waiting);
    // Nothing waits: what the lines still hold are places of texts that were called or dropped.
    if (this.#size === 0) this.#tenants.clear();
  }
}

interface Turn {
  readonly job: EmbeddingJob;
  readonly lines: Map<Caller, Line>;
  readonly caller: Caller;
  readonly line: Line;
}

function firstWaiting(line: Line): EmbeddingJob | null {
  for (; line.head < line.jobs.length; line.head += 1) {
    const job = line.jobs[line.head];
    if (job?.state === 'WAITING') return job;
  }
  return null;
}

function toEnd<K, V>(turns: Map<K, V>, key: K, value: V): void {
  turns.delete(key);
  turns.set(key, value);
}
