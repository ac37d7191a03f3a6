import { type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { CallOutcome, CallSite } from '../../contracts/pool-observer.ts';
import type { Usage } from '../../contracts/usage.ts';
import { inSpan } from '../../runs/traceparent.ts';

const tracer = trace.getTracer('sluice');
const operations = { chat: 'chat', embedding: 'embeddings' } as const;
/** A shorter wait is no wait: its span would only be in the way. */
const shortestWaitMs = 1;

/** A wait that is over, as a span beside the call that it was for. */
export function recordWait(site: CallSite, waitMs: number): void {
  if (waitMs < shortestWaitMs) return;
  const now = Date.now();
  tracer.startSpan('queue', { startTime: now - waitMs, attributes: attributesOf(site) }).end(now);
}

/** One provider call, by the conventions of OpenTelemetry for generative AI. Without an SDK it costs next to nothing. */
export class CallSpan {
  readonly #span: Span;

  constructor(site: CallSite, attempt: number) {
    const operation = operations[site.kind];
    this.#span = tracer.startSpan(`${operation} ${site.model}`, {
      kind: SpanKind.CLIENT,
      attributes: { 'gen_ai.operation.name': operation, ...attributesOf(site), 'sluice.attempt': attempt },
    });
  }

  /** What is done inside hangs below the call. */
  run<T>(work: () => T): T {
    return inSpan(this.#span, work);
  }

  end({ code, firstTokenMs }: CallOutcome, usage: Usage | null): void {
    const span = this.#span;
    if (span.isRecording()) {
      span.setAttributes({
        ...(usage === null ? {} : usageAttributes(usage)),
        ...(firstTokenMs === null ? {} : { 'gen_ai.response.time_to_first_chunk': firstTokenMs / 1000 }),
        ...(code === null ? {} : { 'error.type': code }),
      });
      // Without a message: a provider may quote the prompt in its own.
      if (code !== null && code !== 'CANCELLED') span.setStatus({ code: SpanStatusCode.ERROR });
    }
    span.end();
  }
}

function attributesOf({ route, provider, model }: CallSite) {
  return {
    'gen_ai.provider.name': provider,
    'gen_ai.request.model': model,
    ...(route === null ? {} : { 'sluice.route': route }),
  };
}

function usageAttributes({ inputTokens, cachedInputTokens, outputTokens, costUsd, estimated }: Usage) {
  return {
    'gen_ai.usage.input_tokens': inputTokens,
    'gen_ai.usage.cache_read.input_tokens': cachedInputTokens,
    'gen_ai.usage.output_tokens': outputTokens,
    ...(costUsd === null ? {} : { 'sluice.cost_usd': costUsd }),
    ...(estimated ? { 'sluice.usage_estimated': true } : {}),
  };
}
