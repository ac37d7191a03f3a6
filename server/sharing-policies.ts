import type { ChatModel } from '../core/models/models.ts';
import { defaultSharing, type SharingPolicy } from '../core/models/sharing/sharing-policy.ts';
import type { Config } from './config-schema.ts';

<<<<<<< HEAD
/** What the configuration lets the answers of a route or a model have in common. */
export function sharingPolicies({ openai, providers }: Config): (model: ChatModel) => SharingPolicy {
  const sections = Object.entries({ openai, ...providers });
  const policies = new Map(
    sections.flatMap(([provider, { models }]) =>
      models.map(({ name, coalesce = false }) => [`${provider}/${name}`, { coalesce }] as const),
    ),
  );
  return ({ name, provider, route }) => route ?? policies.get(`${provider}/${name}`) ?? defaultSharing;
=======
/** What the configuration lets the answers of a model have in common. */
export function sharingPolicies({ openai }: Config): (model: ChatModel) => SharingPolicy {
  const policies = new Map(
    openai.models.map(({ name, coalesce = false, cache = null }) => [name, { coalesce, cache }]),
  );
  return ({ name }) => policies.get(name) ?? defaultSharing;
>>>>>>> main
}
