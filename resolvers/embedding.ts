import type { Context } from '../context.ts';
import { checkEmbeddingText } from '../core/search/check-embedding-text.ts';

export async function embedding(
  args: { readonly text: string; readonly model?: string | null | undefined },
  { services, loaders }: Context,
) {
  const model = args.model ?? services.models.defaultEmbeddingModel;
  checkEmbeddingText(args.text, services.limits);
  const { vector, tokens } = await loaders.embedding.load({ model, text: args.text });
  return { model, dimensions: vector.length, vector: Array.from(vector), tokens };
}
