import type { WireEmbedding } from './behaviour.ts';
import { type Exchange, pause, sendError, sendJson } from './exchange.ts';
import { refuseEmbeddings } from './validate.ts';
import { vectorOf } from './vectors.ts';

export interface EmbeddingSettings {
  readonly countTokens: (text: string) => number;
  readonly dimensions: number;
}

interface WireRequest {
  readonly model: string;
  readonly input: string | readonly string[];
  readonly encoding_format?: 'float' | 'base64';
  readonly dimensions?: number;
}

/** Answers POST /embeddings. */
export async function answerEmbeddings(exchange: Exchange, settings: EmbeddingSettings): Promise<void> {
  const { call, behaviour } = exchange;
  const refusal = refuseEmbeddings(call.body);
  if (refusal !== null) return sendError(exchange, 400, { type: 'invalid_request_error', ...refusal });
  // refuseEmbeddings has just checked every field.
  const request = call.body as WireRequest;
  const texts = typeof request.input === 'string' ? [request.input] : request.input;
  const data = texts.map((text, index): WireEmbedding => {
    const vector = vectorOf(text, request.dimensions ?? settings.dimensions);
    const embedding = request.encoding_format === 'base64' ? base64Of(vector) : [...vector];
    return { object: 'embedding', index, embedding };
  });
  const tokens = texts.reduce((sum, text) => sum + settings.countTokens(text), 0);
  await exchange.latency;
  await pause(behaviour.firstTokenMs, exchange.signal);
  await sendJson(exchange, 200, {
    object: 'list',
    data: behaviour.embeddings === undefined ? data : behaviour.embeddings(data),
    model: request.model,
    ...(behaviour.usage === false ? {} : { usage: { prompt_tokens: tokens, total_tokens: tokens } }),
  });
}

function base64Of(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64');
}
