import type { ChatModel } from '../../core/models/models.ts';
import { defaultSharing, type SharingPolicy } from '../../core/models/sharing/sharing-policy.ts';
import type { Config } from '../config/config-schema.ts';

interface Shared {
  readonly coalesce?: boolean | undefined;
  readonly cache?: SharingPolicy['cache'] | undefined;
  readonly semanticCache?: Config['openai']['models'][number]['semanticCache'];
}

/** What the configuration lets the answers of a route or a model have in common. */
export function sharingPolicies({ openai, providers, routes }: Config): (model: ChatModel) => SharingPolicy {
  const ofRoutes = new Map(Object.entries(routes).map(([name, route]) => [name, policyOf(route)]));
  const ofModels = new Map(
    Object.entries({ openai, ...providers }).flatMap(([provider, { models }]) =>
      models.map((model) => [`${provider}/${model.name}`, policyOf(model)] as const),
    ),
  );
  return ({ name, provider, route }) =>
    (route === null ? ofModels.get(`${provider}/${name}`) : ofRoutes.get(route.name)) ?? defaultSharing;
}

function policyOf({ coalesce = false, cache = null, semanticCache }: Shared): SharingPolicy {
  const semantic =
    semanticCache === undefined ? null : { ...semanticCache, embeddingModel: semanticCache.embeddingModel ?? null };
  return { coalesce, cache, semantic };
}
