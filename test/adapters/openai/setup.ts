import { onTestFinished } from 'vitest';
import { type OpenaiProviderOptions, openaiProvider } from '../../../adapters/openai/openai-provider.ts';
import { GatewayError } from '../../../core/contracts/gateway-error.ts';
import type { ChatChunk, ChatRequest, ModelProvider } from '../../../core/contracts/model-provider.ts';
import { startVendor, type Vendor, type VendorOptions } from '../../helpers/vendor/vendor.ts';

export const apiKey = 'sk-test-0123456789';
/** Ten tokens for the vendor, which splits at spaces. */
export const tenWords = 'one two three four five six seven eight nine ten';

/** A vendor and a provider that calls it, for one test. */
export async function start(
  options: Partial<OpenaiProviderOptions> = {},
  vendorOptions: VendorOptions = {},
): Promise<{ readonly vendor: Vendor; readonly provider: ModelProvider }> {
  const vendor = await startVendor({ apiKey, ...vendorOptions });
  onTestFinished(() => vendor.close());
  return { vendor, provider: openaiProvider({ baseUrl: vendor.url, apiKey, ...options }) };
}

export function request(more: Partial<ChatRequest> = {}): ChatRequest {
  return { model: 'gpt-4.1-mini', messages: [{ role: 'USER', text: 'Hello' }], sources: null, ...more };
}

export function never(): AbortSignal {
  return new AbortController().signal;
}

export async function all(stream: AsyncIterable<ChatChunk>): Promise<ChatChunk[]> {
  const chunks: ChatChunk[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

export function textOf(chunks: readonly ChatChunk[], type: 'text' | 'reasoning' = 'text'): string {
  return chunks.map((chunk) => (chunk.type === type ? chunk.delta : '')).join('');
}

/** What a stream gave before it ended, and how it ended. */
export async function outcome(
  stream: AsyncIterable<ChatChunk>,
): Promise<{ readonly chunks: readonly ChatChunk[]; readonly error: GatewayError | null }> {
  const chunks: ChatChunk[] = [];
  try {
    for await (const chunk of stream) chunks.push(chunk);
    return { chunks, error: null };
  } catch (error) {
    if (error instanceof GatewayError) return { chunks, error };
    throw error;
  }
}

export async function failure(promise: Promise<unknown>): Promise<GatewayError> {
  const [result] = await Promise.allSettled([promise]);
  if (result.status === 'fulfilled') throw new Error('expected a failure, got a result');
  if (result.reason instanceof GatewayError) return result.reason;
  throw result.reason;
}
