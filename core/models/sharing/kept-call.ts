import type { ReplyCodec } from './reply-codec.ts';

export interface KeptCall<Item> {
  readonly codec: ReplyCodec<Item>;
  /** What is kept of an earlier call that answers this one too; null: nothing. */
  find(): Promise<string | null>;
  /** For later. Nobody waits for it, and it never fails. */
  keep(reply: string): void;
  begin(): AsyncIterable<Item>;
  onLook(isHit: boolean): void;
}

/** What is kept of an earlier call, else the call itself, which is kept when it has ended as it should. */
export async function* keptCall<Item>(call: KeptCall<Item>): AsyncGenerator<Item, void, undefined> {
  const { codec } = call;
  const known = await call.find();
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
  if (reply !== null) call.keep(reply);
}
