import type { Capability, ProviderModel } from '../../core/contracts/model-provider.ts';
import { isRecord, malformed, type Upstream } from './upstream.ts';
import { count, readBody } from './wire-reply.ts';

/** The protocol's list says no more than names, so what a model can do is read from its name. */
const byName: readonly (readonly [pattern: RegExp, capabilities: readonly Capability[]])[] = [
  [/rerank/i, ['RERANK']],
  [/embed|\bbge\b|\be5\b|\bgte\b|minilm/i, ['EMBEDDING']],
  [/moderation|guard/i, ['MODERATION']],
  [/whisper|tts|dall-e|image|transcribe|realtime|sora/i, []],
];

/** Where servers tell the context window: vLLM, OpenRouter and Groq, Mistral. */
const contextWindowFields = ['max_model_len', 'context_length', 'context_window', 'max_context_length'];

/** The body of an answer to GET /models. */
export function readModels(text: string, upstream: Upstream): readonly ProviderModel[] {
  const data = readBody(text, upstream)['data'];
  if (!Array.isArray(data)) throw malformed(upstream, '`data` with the models', text);
  return data.map((model: unknown) => {
    if (!isRecord(model) || typeof model['id'] !== 'string' || model['id'] === '') {
      throw malformed(upstream, 'an `id` for each model', JSON.stringify(model) ?? 'nothing');
    }
    return { name: model['id'], capabilities: capabilitiesOf(model['id']), contextWindow: contextWindowOf(model) };
  });
}

function capabilitiesOf(name: string): readonly Capability[] {
  return byName.find(([pattern]) => pattern.test(name))?.[1] ?? ['CHAT'];
}

function contextWindowOf(model: Record<string, unknown>): number | null {
  for (const field of contextWindowFields) {
    const tokens = count(model[field]);
    if (tokens !== null && tokens > 0) return tokens;
  }
  return null;
}
