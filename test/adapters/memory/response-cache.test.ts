import { memoryResponseCache } from '../../../adapters/memory/response-cache.ts';
import { responseCacheContract } from '../../contract/response-cache.ts';

responseCacheContract('memoryResponseCache', async (maxBytes) => memoryResponseCache({ maxBytes }));
