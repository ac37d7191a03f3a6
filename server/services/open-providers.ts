import type { ProviderOptions, TargetLimits } from '../../core/models/models-options.ts';
import type { Config } from '../config/config-schema.ts';
import { isOpenaiUsed } from '../config/pool-faults.ts';
import { presetOf } from '../config/presets.ts';
import type { ConfiguredProvider } from '../config/providers.ts';
import { traceHeaders } from '../telemetry/tracing/trace-headers.ts';

/** No provider of the configuration embeds by default, so that the local one does. */
export function isLocalEmbedding(config: Config): boolean {
  return !isOpenaiUsed(config) && Object.values(config.providers).every(({ embeddingModel }) => embeddingModel == null);
}

/** Every provider of the configuration in the order of preference; the local one comes last, for its own models. */
export async function openProviders(config: Config, local: ProviderOptions['provider']): Promise<ProviderOptions[]> {
  const localOptions = { provider: local, chatModel: 'extractive', embeddingModel: 'all-MiniLM-L6-v2', closed: true };
  const configured = Object.entries(config.providers);
  if (!isOpenaiUsed(config) && configured.length === 0) return [localOptions];
  // Hundreds of files, for which a start without a provider does not wait.
  const { openaiProvider } = await import('../../adapters/openai/openai-provider.ts');
  const told = config.telemetry.propagate ? { callHeaders: traceHeaders } : {};

  function openaiSection(): ProviderOptions {
    const { apiKey, baseUrl = 'https://api.openai.com/v1', chatModel, embeddingModel, models } = config.openai;
    const { maxConcurrent, maxQueued } = config.openai;
    return {
      provider: openaiProvider({ baseUrl, apiKey, ...told }),
      // The environment's default may name a route, which is no model of this provider.
      chatModel: config.routes[chatModel] === undefined ? chatModel : null,
      embeddingModel,
      models: models.map(withLimits),
      limits: { maxConcurrent, maxQueued },
    };
  }

  function oneOf(name: string, options: ConfiguredProvider): ProviderOptions {
    const { preset, apiKey, apiKeys, headers, query, chatModel, embeddingModel, models, closed } = options;
    const usual = presetOf(preset);
    const [first, ...more] = (apiKeys ?? [apiKey ?? null]).map((key) => {
      const limits = options.embeddingLimits ?? usual.embeddingLimits;
      const keyHeader = options.keyHeader ?? usual.keyHeader;
      return openaiProvider({
        name,
        // The schema refuses a provider without an address.
        baseUrl: options.baseUrl ?? usual.baseUrl ?? '',
        apiKey: key,
        ...{ headers, query, ...told },
        ...(keyHeader === undefined ? {} : { keyHeader }),
        ...(limits === undefined ? {} : { embeddingLimits: limits }),
        ...(options.outputLimitField === undefined ? {} : { outputLimitField: options.outputLimitField }),
      });
    });
    // The schema refuses an empty list of keys.
    if (first === undefined) throw new Error(`provider ${name} has no key`);
    return {
      provider: first,
      moreKeys: more,
      closed,
      chatModel: chatModel ?? null,
      embeddingModel: embeddingModel ?? null,
      models: models.map(withLimits),
      limits: limitsOf(options),
    };
  }

  const named = configured.map(([name, options]) => oneOf(name, options));
  return [...(isOpenaiUsed(config) ? [openaiSection()] : []), ...named, localOptions];
}

type Limited = { readonly [name in keyof TargetLimits]?: number | undefined };

function withLimits<T extends Limited>(model: T): T & { readonly limits: Partial<TargetLimits> } {
  return { ...model, limits: limitsOf(model) };
}

function limitsOf({ maxConcurrent, maxQueued, requestsPerMinute, tokensPerMinute }: Limited): Partial<TargetLimits> {
  return {
    ...(maxConcurrent === undefined ? {} : { maxConcurrent }),
    ...(maxQueued === undefined ? {} : { maxQueued }),
    ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }),
    ...(tokensPerMinute === undefined ? {} : { tokensPerMinute }),
  };
}
