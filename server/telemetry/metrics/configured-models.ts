import type { Config } from '../../config-schema.ts';

/** Every name of a model that the configuration holds, and those of the local provider. */
export function configuredModels({ openai }: Config): readonly string[] {
  const own = ['extractive', 'all-MiniLM-L6-v2'];
  return [...own, openai.chatModel, openai.embeddingModel, ...openai.models.map(({ name }) => name)];
}
