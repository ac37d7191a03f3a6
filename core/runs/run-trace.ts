import { type Context, context, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { ObservedRun, RunEnd } from '../contracts/run-observer.ts';
import type { NewRun } from '../contracts/run-store.ts';
import { inSpan, parseTraceparent, traceparentOf } from './traceparent.ts';

const tracer = trace.getTracer('sluice');

/**
 * The start of a run, as a span of its own that ends with the claim: it is exported soon, while the run may go on for minutes and
 * outlive its instance. All attempts hang below it; `traceparent` is what a later instance finds it by.
 */
export function traceStart<T>(run: NewRun, claim: (traceparent: string | null) => Promise<T>): Promise<T> {
  const attributes = { 'sluice.run.id': run.runId, 'sluice.run.kind': run.detail.kind };
  const span = tracer.startSpan(`start ${run.detail.kind}`, { kind: SpanKind.PRODUCER, attributes });
  return inSpan(span, async () => {
    try {
      return await claim(traceparentOf(span.spanContext()));
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  });
}

/** One attempt at a run: what is done inside `run` hangs below it. */
export class AttemptTrace {
  readonly #span: Span;
  readonly #from: Context;

  /** `traceparent` of a run that was taken over; null: it was started here, by what is active now. */
  constructor({ runId, kind, attempt, stored }: ObservedRun, traceparent: string | null) {
    const parent = parseTraceparent(traceparent);
    const from = parent === null ? context.active() : trace.setSpanContext(context.active(), parent);
    const attributes = {
      'sluice.run.id': runId,
      'sluice.run.kind': kind,
      'sluice.run.attempt': attempt,
      'sluice.run.stored': stored,
    };
    this.#span = tracer.startSpan(`run ${kind}`, { kind: SpanKind.CONSUMER, attributes }, from);
    this.#from = from;
  }

  run<T>(work: () => T): T {
    return inSpan(this.#span, work, this.#from);
  }

  /** What was asked and answered; only where the configuration wants contents in traces. */
  record(input: unknown, reply: unknown): void {
    this.#span.setAttribute('sluice.run.input', JSON.stringify(input));
    if (reply !== undefined) this.#span.setAttribute('sluice.run.reply', JSON.stringify(reply));
  }

  end({ status, code, model, usage, firstTokenMs }: RunEnd): void {
    const span = this.#span;
    span.setAttributes({
      'sluice.run.status': status,
      'gen_ai.usage.input_tokens': usage.inputTokens,
      'gen_ai.usage.output_tokens': usage.outputTokens,
      'sluice.calls': usage.calls,
      ...(model === null ? {} : { 'gen_ai.response.model': model }),
      ...(usage.costUsd === null ? {} : { 'sluice.cost_usd': usage.costUsd }),
      ...(firstTokenMs === null ? {} : { 'sluice.first_token_ms': firstTokenMs }),
      ...(code === null ? {} : { 'error.type': code }),
    });
    if (status === 'FAILED') span.setStatus({ code: SpanStatusCode.ERROR });
    span.end();
  }
}
