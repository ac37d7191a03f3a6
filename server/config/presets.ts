import type { OpenaiProviderOptions } from '../../adapters/openai/openai-provider.ts';

/** What is publicly known of a vendor's or a server's OpenAI-compatible side. */
export interface Preset extends Partial<Pick<OpenaiProviderOptions, 'embeddingLimits' | 'keyHeader'>> {
  /** Null: everybody has another one. */
  readonly baseUrl: string | null;
  /** It runs on the user's own machine, and wants no key. */
  readonly keyless?: true;
}

export const presets = {
  openai: { baseUrl: 'https://api.openai.com/v1' },
  azure: { baseUrl: null, keyHeader: 'api-key' },
  anthropic: { baseUrl: 'https://api.anthropic.com/v1' },
  cerebras: { baseUrl: 'https://api.cerebras.ai/v1' },
  deepseek: { baseUrl: 'https://api.deepseek.com/v1' },
  fireworks: { baseUrl: 'https://api.fireworks.ai/inference/v1' },
  gemini: {
    baseUrl: 'https://generativelanguage.googleapis.com/v1beta/openai',
    embeddingLimits: { maxTexts: 100, maxTokens: 20_000 },
  },
  groq: { baseUrl: 'https://api.groq.com/openai/v1' },
  mistral: { baseUrl: 'https://api.mistral.ai/v1', embeddingLimits: { maxTexts: 512, maxTokens: 16_000 } },
  openrouter: { baseUrl: 'https://openrouter.ai/api/v1' },
  perplexity: { baseUrl: 'https://api.perplexity.ai' },
  together: { baseUrl: 'https://api.together.xyz/v1' },
  xai: { baseUrl: 'https://api.x.ai/v1' },
  ollama: { baseUrl: 'http://127.0.0.1:11434/v1', keyless: true },
  vllm: { baseUrl: 'http://127.0.0.1:8000/v1', keyless: true },
  'llama.cpp': { baseUrl: 'http://127.0.0.1:8080/v1', keyless: true },
} as const satisfies Readonly<Record<string, Preset>>;

export type PresetName = keyof typeof presets;
// The keys of an object literal that is not empty.
export const presetNames = Object.keys(presets) as [PresetName, ...PresetName[]];

export function presetOf(name: PresetName | undefined): Preset {
  return name === undefined ? { baseUrl: null } : presets[name];
}
