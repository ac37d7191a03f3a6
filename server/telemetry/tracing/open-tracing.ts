import { randomUUID } from 'node:crypto';
import { context, trace } from '@opentelemetry/api';
import type { Config } from '../../config/config-schema.ts';
import { version } from '../../version.ts';

/** Sends spans to the collector at `telemetry.otlpEndpoint`. Without one nothing is loaded, and every span is a no-op. */
export async function openTracing({ telemetry }: Config): Promise<AsyncDisposable> {
  const { otlpEndpoint, otlpHeaders, serviceName, sampleRatio, exportEveryMs } = telemetry;
  if (otlpEndpoint === undefined) return { [Symbol.asyncDispose]: async () => {} };
  const [sdk, { OTLPTraceExporter }, { resourceFromAttributes }, { AsyncLocalStorageContextManager }] =
    await Promise.all([
      import('@opentelemetry/sdk-trace'),
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
      import('@opentelemetry/context-async-hooks'),
    ]);
  const exporter = new OTLPTraceExporter({
    url: `${otlpEndpoint.replace(/\/+$/, '')}/v1/traces`,
    headers: { ...otlpHeaders },
  });
  const provider = new sdk.TracerProvider({
    resource: resourceFromAttributes({
      'service.name': serviceName,
      'service.version': version,
      'service.instance.id': randomUUID(),
    }),
    sampler: new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(sampleRatio) }),
    spanProcessors: [new sdk.BatchSpanProcessor({ exporter, scheduledDelayMillis: exportEveryMs })],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(provider);
  return {
    async [Symbol.asyncDispose]() {
      trace.disable();
      context.disable();
      // What could not be sent by now is lost: a collector that is away must not hold up a stop.
      await provider.shutdown().catch(() => {});
    },
  };
}
