import { type Context, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { ErrorCode } from '../../../core/contracts/gateway-error.ts';
import { inSpan, parseTraceparent } from '../../../core/runs/traceparent.ts';

const tracer = trace.getTracer('sluice');
const longestName = 100;

/** The span of one operation: below the caller's own, where it sent a traceparent. */
export class OperationTrace {
  readonly #span: Span;
  readonly #from: Context;

  constructor(transport: string, requestId: string, traceparent: unknown) {
    const parent = parseTraceparent(traceparent);
    const from = parent === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
    const attributes = { 'sluice.transport': transport, 'sluice.request_id': requestId };
    this.#span = tracer.startSpan('operation', { kind: SpanKind.SERVER, attributes }, from);
    this.#from = from;
  }

  run<T>(work: () => T): T {
    return inSpan(this.#span, work, this.#from);
  }

  end(kind: string, name: string | null, code: ErrorCode | null): void {
    const span = this.#span;
    if (span.isRecording()) {
      span.updateName(name === null ? kind : `${kind} ${name.slice(0, longestName)}`);
      span.setAttribute('graphql.operation.type', kind);
      if (name !== null) span.setAttribute('graphql.operation.name', name.slice(0, longestName));
      if (code !== null) span.setAttribute('error.type', code);
      if (code !== null && code !== 'CANCELLED') span.setStatus({ code: SpanStatusCode.ERROR });
    }
    span.end();
  }
}
