import { createModels } from '../../../core/models/create-models.ts';
import type { CallOptions, ModelRequest, Models, PoolChunk } from '../../../core/models/models.ts';
import type { ModelsOptions } from '../../../core/models/models-options.ts';
import { UsageMeter } from '../../../core/models/usage/usage-meter.ts';
import type { ScriptedProvider } from '../../helpers/scripted-provider.ts';

/** A pool over one scripted provider, with backoffs too short to notice. */
export function poolOf(provider: ScriptedProvider, options: Omit<ModelsOptions, 'providers'> = {}): Models {
  return createModels({
    backoff: { backoffMs: 1 },
    ...options,
    providers: [{ provider, chatModel: 'talker', embeddingModel: 'embedder' }],
  });
}

/** One caller: its own signal and meter. */
export function callerOf(
  tenant = 'acme',
  timeoutMs?: number,
): CallOptions & { readonly abort: (reason?: Error) => void } {
  const controller = new AbortController();
  const { signal } = controller;
  const meter = new UsageMeter();
  const caller = { tenant, meter, signal, abort: (reason?: Error) => controller.abort(reason) };
  return timeoutMs === undefined ? caller : { ...caller, timeoutMs };
}

export function ask(text = 'What is new?', model: string | null = null): ModelRequest {
  return { model, messages: [{ role: 'USER', text }], sources: null };
}

export async function textOf(chunks: AsyncIterable<PoolChunk>): Promise<string> {
  let text = '';
  for await (const chunk of chunks) if (chunk.type === 'text') text += chunk.delta;
  return text;
}

/** The error a promise must end with. */
export async function failureOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error('expected a failure, it succeeded');
}
