import { type Context, context, isSpanContextValid, type Span, type SpanContext, trace } from '@opentelemetry/api';

/** A span's place in its trace, as W3C Trace Context writes it; null where nothing is recorded. */
export function traceparentOf(span: SpanContext | undefined): string | null {
  if (span === undefined || !isSpanContextValid(span)) return null;
  return `00-${span.traceId}-${span.spanId}-${span.traceFlags.toString(16).padStart(2, '0')}`;
}

/**
 * What is done inside hangs below the span. Where nothing is recorded nothing is in the way either: contexts are maps that are
 * copied, for every run and every call.
 */
export function inSpan<T>(span: Span, work: () => T, from: Context = context.active()): T {
  return isSpanContextValid(span.spanContext()) ? context.with(trace.setSpan(from, span), work) : work();
}

/** Null for what is no traceparent, or one of zeros: then a trace begins anew, as the standard has it. */
export function parseTraceparent(text: unknown): SpanContext | null {
  if (typeof text !== 'string') return null;
  // A later version may say more behind the flags.
  const match = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/.exec(text);
  const [, traceId = '', spanId = '', flags = ''] = match ?? [];
  const span = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
  return match !== null && isSpanContextValid(span) ? span : null;
}
