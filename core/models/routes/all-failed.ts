import { type ErrorDetails, GatewayError } from '../../contracts/gateway-error.ts';
import type { Job } from '../calls/job.ts';
import type { Target } from '../targets/target.ts';

/** The error of a call that no target answered. Of one target: its own. Of several: what they have in common, and each one's words. */
export function everyTargetFailed(job: Job, failures: ReadonlyMap<Target, GatewayError>): GatewayError {
  const errors = [...failures.values()];
  const [first] = errors;
  const { attempts } = job;
  if (first === undefined) throw new TypeError('a call needs at least one target');
  if (errors.length === 1) return withAttempts(first, attempts);
  const isSame = errors.every(({ code }) => code === first.code);
  const said = [...failures].map(([target, { message }]) => `${target.label}: ${message}`);
  const details: ErrorDetails = { attempts, issues: said, ...soonest(errors) };
  return new GatewayError(
    isSame ? first.code : 'UPSTREAM_UNAVAILABLE',
    `every target of ${job.route ?? 'the call'} failed; ${said.join('; ')}`.slice(0, 1_000),
    {
      retryable: errors.some(({ retryable }) => retryable),
      details: isSame && first.details.phase !== undefined ? { ...details, phase: first.details.phase } : details,
      cause: errors,
    },
  );
}

/** The first target that may be called again decides; one that did not say may be called at any time. */
function soonest(errors: readonly GatewayError[]): ErrorDetails {
  const waits = errors.map(({ details }) => details.retryAfterMs);
  return waits.includes(undefined) ? {} : { retryAfterMs: Math.min(...waits.map((waitMs) => waitMs ?? 0)) };
}

export function withAttempts(error: GatewayError, attempts: number): GatewayError {
  const { code, message, retryable, details, upstreamFault } = error;
  return new GatewayError(code, message, { retryable, upstreamFault, details: { ...details, attempts }, cause: error });
}
