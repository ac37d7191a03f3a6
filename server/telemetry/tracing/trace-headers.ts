import { trace } from '@opentelemetry/api';
import { traceparentOf } from '../../../core/runs/traceparent.ts';

/** Tells a provider which call of which trace it serves. */
export function traceHeaders(): Readonly<Record<string, string>> {
  const traceparent = traceparentOf(trace.getActiveSpan()?.spanContext());
  return traceparent === null ? {} : { traceparent };
}
