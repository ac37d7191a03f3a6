import { localProvider } from '../../../adapters/local/local-provider.ts';
import { describeModelProvider } from '../../contract/model-provider.ts';

describeModelProvider('localProvider', async () => {
  const provider = localProvider({ workers: 1 });
  await provider.ready;
  return {
    provider,
    chatModel: 'extractive',
    embeddingModel: 'all-MiniLM-L6-v2',
    close: () => provider.close(),
  };
});
