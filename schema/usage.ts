import type { Usage } from '../core/contracts/usage.ts';
import { builder } from './builder.ts';

export const UsageRef = builder.objectRef<Usage>('Usage');
UsageRef.implement({
  description: 'What was spent.',
  fields: (t) => ({
    inputTokens: t.field({ type: 'SafeInt', resolve: (usage) => usage.inputTokens }),
    cachedInputTokens: t.field({
      type: 'SafeInt',
      description: "The part of inputTokens that came from the provider's prompt cache.",
      resolve: (usage) => usage.cachedInputTokens,
    }),
    outputTokens: t.field({ type: 'SafeInt', resolve: (usage) => usage.outputTokens }),
    calls: t.field({ type: 'SafeInt', description: 'Provider calls.', resolve: (usage) => usage.calls }),
    costUsd: t.exposeFloat('costUsd', {
      nullable: true,
      description: 'US dollars; null where the model has no known price, never 0.',
    }),
    estimated: t.exposeBoolean('estimated', {
      description: 'True when a provider sent no count and the gateway counted by tokenizer.',
    }),
  }),
});
