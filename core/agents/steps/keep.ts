import type { Json } from '../../contracts/filter.ts';
import { GatewayError } from '../../contracts/gateway-error.ts';
import type { CitationRecord } from '../../contracts/run-event.ts';
import type { CallOptions } from '../../models/models.ts';
import type { RunIo } from '../../runs/live-run.ts';
import { callOf, stepMeter, type Work } from '../work.ts';
import type { StepResult } from './step-board.ts';

/** How a step ended, with what it brought: a failure is kept too, so that no attempt of the run tells another end of it. */
export interface Kept<T> {
  readonly value: T | null;
  readonly result: StepResult;
  readonly error: KeptError | null;
}

export type KeptError = Pick<GatewayError, 'code' | 'message' | 'retryable' | 'details'>;

/** `RunIo.once` for values that are plain JSON by what they hold, which their interfaces cannot say. */
export async function once<T>(io: Pick<RunIo, 'once'>, key: string, work: () => Promise<T>): Promise<T> {
  return (await io.once(key, async () => (await work()) as unknown as Json)) as unknown as T;
}

/**
 * Does the work of a step once in all attempts of the run. What a provider or a tool refuses is the end of the step, not of the
 * run; an abort, and what nobody expected, is thrown.
 */
export function keep<T>(
  work: Work,
  key: string,
  attempt: (call: CallOptions) => Promise<T>,
  show: (value: T) => { readonly output: string; readonly citations?: readonly CitationRecord[] },
): Promise<Kept<T>> {
  return once(work.io, key, async (): Promise<Kept<T>> => {
    const meter = stepMeter(work);
    const ended = () => ({ usage: meter.usage, finishedAt: new Date().toISOString() });
    try {
      const value = await attempt(callOf(work, meter));
      return { value, result: { status: 'SUCCEEDED', ...show(value), ...ended() }, error: null };
    } catch (error) {
      if (work.signal.aborted || !(error instanceof GatewayError) || error.code === 'INTERNAL') throw error;
      const { code, message, retryable, details } = error;
      const result: StepResult = { status: 'FAILED', output: `${code}: ${message}`, ...ended() };
      return { value: null, result, error: { code, message, retryable, details } };
    }
  });
}
