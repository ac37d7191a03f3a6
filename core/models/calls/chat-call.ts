import type { ChatChunk, ChatRequest, Completion } from '../../contracts/model-provider.ts';
import type { CatalogueEntry } from '../catalogue/catalogue.ts';
import type { Target } from '../targets/target.ts';
import { estimateChat, StreamSpend } from '../usage/token-estimate.ts';
import type { UsageMeter } from '../usage/usage-meter.ts';
import type { CallBounds } from './call-bounds.ts';

/** A request on its way: the model it goes to, the target in front of it, and what bounds and counts it. */
export interface ChatCall {
  readonly entry: CatalogueEntry;
  readonly target: Target;
  readonly request: ChatRequest;
  readonly bounds: CallBounds;
  readonly meter: UsageMeter;
}

/**
 * One generation, streamed. Once the first chunk has come it costs something, so `meter` hears of it whatever the end: the
 * provider's count, or an estimate of what came when it sent none, the stream broke, or the reader left. `begin` is called when
 * the first chunk is asked for, so that a stream nobody reads costs nothing.
 */
export async function* streamChat(begin: () => ChatCall): AsyncGenerator<ChatChunk, void, undefined> {
  const { entry, target, request, bounds, meter } = begin();
  using call = bounds;
  const stream = await target.open(call, (signal) => entry.provider.chat(request, signal));
  const spend = new StreamSpend(request.messages);
  let failure: unknown;
  try {
    let chunk: ChatChunk | undefined = stream.first;
    while (chunk !== undefined) {
      spend.see(chunk);
      yield chunk;
      try {
        chunk = (await stream.next()).value;
      } catch (error) {
        failure = error;
        throw error;
      }
    }
  } finally {
    stream.close(failure);
    spend.settle(meter, entry.price);
  }
}

/** One generation in one reply. An attempt that brought no reply counts nothing: nobody knows what it used. */
export async function completeChat({ entry, target, request, bounds, meter }: ChatCall): Promise<Completion> {
  using call = bounds;
  const completion = await target.run(call, (signal) => entry.provider.complete(request, signal), false);
  const tokens = completion.tokens ?? estimateChat(request.messages, completion.text);
  meter.add(tokens, entry.price, completion.tokens === null);
  return completion;
}
