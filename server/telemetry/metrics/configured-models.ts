import type { Config } from '../../config/config-schema.ts';

/** Every name of a model that the configuration holds, and those of the local provider. */
export function configuredModels({ openai, providers, routes }: Config): readonly string[] {
  const own = ['extractive', 'all-MiniLM-L6-v2'];
  const named = [openai, ...Object.values(providers)].flatMap(({ chatModel, embeddingModel, models }) => [
    ...[chatModel, embeddingModel].filter((name) => name !== undefined),
    ...models.map(({ name }) => name),
  ]);
  const targets = Object.values(routes).flatMap((route) => route.targets.map(({ model }) => model));
  return [...own, ...named, ...targets];
}
