import { openaiProvider } from '../../../adapters/openai/openai-provider.ts';
import { describeModelProvider } from '../../contract/model-provider.ts';
import type { Behaviour } from '../../helpers/vendor/behaviour.ts';
import { startVendor } from '../../helpers/vendor/vendor.ts';

const apiKey = 'sk-contract-0123456789';

async function setup(defaults: Behaviour) {
  const vendor = await startVendor({ apiKey, defaults });
  return {
    provider: openaiProvider({ baseUrl: vendor.url, apiKey }),
    chatModel: 'gpt-4.1-mini',
    embeddingModel: 'text-embedding-3-small',
    close: () => vendor.close(),
  };
}

describeModelProvider('openai', () => setup({ tokensPerSecond: 400 }));
describeModelProvider('openai, over a wire that splits characters', () =>
  setup({ tokensPerSecond: 400, splitBytes: 7 }),
);
describeModelProvider('openai, from a vendor that counts nothing and never says [DONE]', () =>
  setup({ tokensPerSecond: 400, usage: false, doneMark: false }),
);
