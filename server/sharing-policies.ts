import type { ChatModel } from '../core/models/models.ts';
import { defaultSharing, type SharingPolicy } from '../core/models/sharing/sharing-policy.ts';
import type { Config } from './config-schema.ts';

/** What the configuration lets the answers of a model have in common. */
export function sharingPolicies({ openai }: Config): (model: ChatModel) => SharingPolicy {
  const policies = new Map(
    openai.models.map(({ name, coalesce = false, cache = null }) => [name, { coalesce, cache }]),
  );
  return ({ name }) => policies.get(name) ?? defaultSharing;
}
