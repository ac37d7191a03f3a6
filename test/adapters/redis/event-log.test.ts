import { afterAll, beforeAll, describe } from 'vitest';
import { RedisConnections } from '../../../adapters/redis/connections.ts';
import { redisEventLog } from '../../../adapters/redis/event-log.ts';
import { realClock } from '../../../server/real-clock.ts';
import { eventLogContract } from '../../contract/event-log.ts';
import { hasRedis, type RedisServer, startRedis } from '../../helpers/redis-server.ts';
import { silent } from './setup.ts';

describe.skipIf(!hasRedis)('redisEventLog', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  eventLogContract('redis event log', async (options) => {
    const redis = new RedisConnections({ url: server.url, clock: realClock, logger: silent });
    const log = redisEventLog({ redis, clock: realClock, ...options });
    const close = async () => {
      await log.close();
      redis.close();
    };
    return { ...log, close };
  });

  // What is written at one instance is read and followed at another one.
  eventLogContract('redis event log of two instances', async (options) => {
    const both = [1, 2].map(() => {
      const redis = new RedisConnections({ url: server.url, clock: realClock, logger: silent });
      return { redis, log: redisEventLog({ redis, clock: realClock, ...options }) };
    });
    const [writer, reader] = both.map(({ log }) => log);
    if (writer === undefined || reader === undefined) throw new Error('two logs were opened');
    const close = async () => {
      for (const { redis, log } of both) {
        await log.close();
        redis.close();
      }
    };
    const { append, fence, remove } = writer;
    return { ...reader, append, fence, remove, close };
  });
});
