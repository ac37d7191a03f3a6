import { ExponentialBackoff, fullJitterGenerator, type IBackoff } from 'cockatiel';
import { GatewayError } from '../../contracts/gateway-error.ts';
import type { PoolObserver } from '../../contracts/pool-observer.ts';
import { pause } from '../calls/abortable.ts';
import type { Job } from '../calls/job.ts';
import { Busy, Refusal } from '../calls/refusal.ts';
import type { BackoffOptions } from '../models-options.ts';
import type { Try } from '../targets/provider-call.ts';
import type { Target } from '../targets/target.ts';
import { everyTargetFailed, withAttempts } from './all-failed.ts';

export interface TryOptions extends BackoffOptions {
  /** Further rounds after the first. */
  readonly retries: number;
  readonly observer: PoolObserver | undefined;
}

/**
 * Tries the targets one after the other until one answers. In the first round each is tried at once: one that is at its limit, or whose
 * circuit is open, is passed over. After a round in which all failed, those that may do better are tried again: after a backoff
 * with full jitter, on top of what their providers asked for (all callers heard the same number), as long as there are rounds, a
 * retry budget, and time before the deadline. A wait that does not fit the deadline is not begun: the error gets out at once. It
 * carries `details.attempts`, all provider calls of the job.
 *
 * The backoff is cockatiel's, the loop is not: its retry policy sleeps out a backoff whatever the signal says, and knows one target.
 *
 * Nearly every call is answered at the first try, and thousands wait there at once: what the rounds remember is made when it has failed.
 */
export function tryTargets<T>(
  job: Job,
  targets: readonly Target[],
  signal: AbortSignal,
  attempt: (target: Target, how: Try) => Promise<T>,
  options: TryOptions,
): Promise<T> {
  const calls = job.attempts;
  const [target] = targets;
  if (target === undefined) return Promise.reject(everyTargetFailed(job, new Map()));
  return attempt(target, { patient: targets.length === 1, number: 1, signal }).catch((error: unknown) =>
    goOn(job, targets, signal, attempt, options, { error, calls }),
  );
}

/** Of the try that was made already: its error, and the calls of the job before it. */
interface FirstFailure {
  readonly error: unknown;
  readonly calls: number;
}

/** The rounds, of which the first try of the first target was made. */
async function goOn<T>(
  job: Job,
  targets: readonly Target[],
  signal: AbortSignal,
  attempt: (target: Target, how: Try) => Promise<T>,
  options: TryOptions,
  firstFailure: FirstFailure,
): Promise<T> {
  let made: FirstFailure | null = firstFailure;
  const failures = new Map<Target, GatewayError>();
  const numbers = new Map<Target, number>();
  let backoff: IBackoff<unknown> | null = null;
  let order = targets;
  let isPatient = targets.length === 1;
  for (let round = 0; ; ) {
    const outcome = await oneRound(order, isPatient);
    if (outcome !== null) return outcome.value;
    const again = order.filter((target, index) =>
      mayDoBetter(failures.get(target), round < options.retries, isPatient && index === 0),
    );
    const [soonest] = again.toSorted((one, other) => one.readyInMs - other.readyInMs);
    if (soonest === undefined) throw everyTargetFailed(job, failures);
    backoff ??= firstBackoff(options);
    const isOnlyBusy = again.every((target) => failures.get(target) instanceof Busy);
    const waitMs = soonest.readyInMs + (isOnlyBusy ? 0 : backoff.duration);
    const isInTime = soonest.readyInMs <= options.longestRetryAfterMs && waitMs < job.bounds.remainingMs;
    if (!isInTime || (!isOnlyBusy && !soonest.retries.spend())) throw everyTargetFailed(job, failures);
    if (!isOnlyBusy) {
      round += 1;
      options.observer?.retrying(soonest.site(job), failures.get(soonest)?.code ?? 'INTERNAL', waitMs);
      await pause(waitMs, signal);
      backoff = backoff.next(undefined);
    }
    // Where all are at their limits the call waits in the queue of the one that is ready first.
    order = [soonest, ...again.filter((target) => target !== soonest)];
    isPatient = true;
  }

  /** Only the first one may be waited for. Null: all failed. */
  async function oneRound(round: readonly Target[], firstIsPatient: boolean): Promise<{ readonly value: T } | null> {
    for (const [index, target] of round.entries()) {
      const answer = await oneTarget(target, firstIsPatient && index === 0);
      if (answer !== null) return answer;
      const [next, failure] = [round[index + 1], failures.get(target)];
      if (next !== undefined && failure !== undefined) {
        options.observer?.fellBack(target.site(job), next.site(job), failure.code, false);
      }
    }
    return null;
  }

  /** By each of its keys in turn, where it was the key that was refused. */
  async function oneTarget(target: Target, patient: boolean): Promise<{ readonly value: T } | null> {
    for (let keys = 1; ; keys += 1) {
      const number = (numbers.get(target) ?? 0) + 1;
      const calls: number = made?.calls ?? job.attempts;
      const failed = made;
      made = null;
      try {
        if (failed !== null) throw failed.error;
        return { value: await attempt(target, { patient, number, signal }) };
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (!(error instanceof GatewayError)) throw error;
        if (job.attempts > calls) numbers.set(target, number);
        if (concernsEveryTarget(error)) throw withAttempts(error, job.attempts);
        failures.set(target, error);
        const isOfKey = !(error instanceof Refusal) && (error.upstreamFault === 'KEY' || error.code === 'RATE_LIMITED');
        if (!isOfKey || keys >= target.keyCount || target.readyInMs > 0) return null;
      }
    }
  }
}

function firstBackoff({ backoffMs, longestBackoffMs }: BackoffOptions): IBackoff<unknown> {
  return new ExponentialBackoff({
    generator: fullJitterGenerator,
    initialDelay: backoffMs,
    maxDelay: longestBackoffMs,
  }).next();
}

/** Whether another round can help: the failure passes with time, or the limit was not waited for yet. */
function mayDoBetter(failure: GatewayError | undefined, hasRounds: boolean, wasPatient: boolean): boolean {
  if (failure instanceof Busy) return !wasPatient;
  return hasRounds && failure?.retryable === true && !(failure instanceof Refusal);
}

/** What no other target would answer otherwise: the end of patience or interest, a refusal of ours, a refused input. */
export function concernsEveryTarget({ code, details, upstreamFault }: GatewayError): boolean {
  switch (code) {
    case 'UPSTREAM_REJECTED':
      return upstreamFault !== 'KEY' && upstreamFault !== 'UNKNOWN_MODEL';
    case 'UPSTREAM_TIMEOUT':
      return details.phase === 'TOTAL';
    case 'RATE_LIMITED':
    case 'UPSTREAM_UNAVAILABLE':
      return false;
    default:
      return true;
  }
}
