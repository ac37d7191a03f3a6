import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  chatOperation,
  isDelta,
  namesOf,
  openStream,
  runEventsOperation,
  type StreamEvent,
  seqsOf,
  textOf,
  upTo,
} from '../e2e/runs/streams.ts';
import { startGateway } from '../helpers/gateway.ts';
import { findPostgres, startPostgresServer } from '../helpers/postgres-server.ts';
import { hasRedis, startRedis } from '../helpers/redis-server.ts';
import { startVendor } from '../helpers/vendor/vendor.ts';
import { hasNginx, startBalancer } from './balancer.ts';

const reply = Array.from({ length: 40 }, (_, index) => `word${index}`).join(' ');

/** Done when it was counted so often. */
function countdown(from: number): { readonly count: () => void; readonly done: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  let left = from;
  const count = (): void => {
    left -= 1;
    if (left === 0) resolve();
  };
  return { count, done: promise };
}

/** compose.yaml without Docker: its balancer, two gateways, a PostgreSQL and a Redis. */
describe('two instances behind the balancer', () => {
  beforeEach((context) => {
    const isMissing = !hasNginx || !hasRedis || 'missing' in findPostgres();
    context.skip(isMissing && !process.env['CI'], 'nginx, Redis or PostgreSQL with pgvector is not installed');
  });

  it('stop one at a time without a client missing anything: it connects again and goes on after its cursor', async () => {
    await using opened = new AsyncDisposableStack();
    const postgres = opened.use(await startPostgresServer());
    const redis = opened.use(await startRedis());
    const goOn = Promise.withResolvers<void>();
    const gates = [{ afterTokens: 20, opened: goOn.promise }];
    const vendor = opened.use(await startVendor({ defaults: { reply, gates } }));
    const environment = { DATABASE_URL: postgres.url, REDIS_URL: redis.url };
    const first = opened.use(await startGateway({ environment, vendor }));
    const second = opened.use(await startGateway({ environment, vendor }));
    const ports = [first, second].map(({ url }) => Number(new URL(url).port));
    const balancer = opened.use(await startBalancer(ports));
    const webSocketUrl = `${balancer.url.replace(/^http/, 'ws')}/graphql`;

    const chats = 10;
    const allHalfWay = countdown(chats);
    // The balancer has given each instance half of them.
    const allBack = countdown(chats / 2);
    /** As a client library does it: the same operation, then the run's events after the last cursor, until the end is there. */
    const chat = async (): Promise<StreamEvent[]> => {
      const runId = randomUUID();
      const input = { runId, message: 'Question' };
      const events: StreamEvent[] = [];
      for (let connection = 1; events.at(-1)?.__typename !== 'RunFinished'; connection += 1) {
        if (connection === 2) allBack.count();
        const after = events.at(-1)?.cursor;
        const stream =
          after === undefined
            ? openStream({ webSocketUrl }, chatOperation, { input })
            : openStream({ webSocketUrl }, runEventsOperation, { runId, after });
        for await (const event of stream) {
          if (isDelta(event) && !events.some(isDelta)) allHalfWay.count();
          events.push(event);
        }
        expect(connection).toBeLessThan(10);
      }
      return events;
    };
    const all = Promise.all(Array.from({ length: chats }, chat));
    await allHalfWay.done;
    const closing = first.close();
    // The balancer sends new requests to the one that is left, while the first one still writes its answers.
    for (let nth = 0; nth < 4; nth += 1) {
      const response = await fetch(`${balancer.url}/graphql?query={__typename}`);
      expect([response.status, await response.json()]).toEqual([200, { data: { __typename: 'Query' } }]);
    }
    await allBack.done;
    goOn.resolve();

    for (const events of await all) {
      expect(textOf(events)).toBe(reply);
      expect(seqsOf(events)).toEqual(upTo(events.length));
      expect(namesOf(events)).not.toContain('TextMessageReset');
    }
    await closing;
  }, 120_000);
});
