import type { ResponseCache } from '../../contracts/response-cache.ts';
import type { ReplyCodec } from './reply-codec.ts';

export interface CachedCall<Item> {
  readonly key: string;
  readonly ttlMs: number;
  readonly cache: ResponseCache;
  readonly codec: ReplyCodec<Item>;
  begin(): AsyncIterable<Item>;
  onLook(isHit: boolean): void;
}

/** What is kept of an earlier call with this key, else the call itself, which is kept when it has ended as it should. */
export async function* cachedCall<Item>(call: CachedCall<Item>): AsyncGenerator<Item, void, undefined> {
  const { key, ttlMs, cache, codec } = call;
  const known = await cache.get(key);
  call.onLook(known !== null);
  if (known !== null) {
    yield* codec.decode(known);
    return;
  }
  const items: Item[] = [];
  for await (const item of call.begin()) {
    items.push(item);
    yield item;
  }
  const reply = codec.encode(items);
  // Nobody waits for it: it never rejects.
  if (reply !== null) void cache.set(key, reply, ttlMs);
}
