import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';

const tracer = trace.getTracer('sluice');

/** Records a statement below whatever is being traced. Those of the gateway's own housekeeping belong to no trace, and make none. */
export async function tracedStatement<T>(name: string, work: () => Promise<T>): Promise<T> {
  if (trace.getActiveSpan()?.isRecording() !== true) return work();
  const attributes = { 'db.system.name': 'postgresql', 'db.operation.name': name };
  const span = tracer.startSpan(`sql ${name}`, { kind: SpanKind.CLIENT, attributes });
  try {
    return await work();
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    span.end();
  }
}
