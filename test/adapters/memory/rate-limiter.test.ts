import { memoryRateLimiter } from '../../../adapters/memory/rate-limiter.ts';
import { rateLimiterContract } from '../../contract/rate-limiter.ts';

rateLimiterContract('memoryRateLimiter', async () => memoryRateLimiter(), { alone: true });
