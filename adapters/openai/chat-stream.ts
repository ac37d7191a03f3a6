import { ChatStreamReader } from './chat-stream-reader.ts';
import type { IncomingReply } from './incoming-reply.ts';
import { malformed, type Upstream } from './upstream.ts';
import { readBody } from './wire-reply.ts';

/** How long a finished stream may take to close by itself, so that its socket can be used again. */
const DRAIN_MS = 1_000;

/** Unread text at which the socket is paused: a consumer that stalls costs no more than this. */
const MAX_UNREAD_CHARS = 256 * 1024;

/** A reply as it streams in. After `more` has settled, everything that came so far is in `reader`. */
export interface ChatStream {
  readonly reader: ChatStreamReader;
  /** Waits for more, or for the end (false). Rejects when the socket breaks before the reply is whole. */
  more(): Promise<boolean>;
  /** Gives the socket back to the pool when the reply is whole, and destroys it otherwise. */
  close(): void;
}

/** Hears the text as it comes: an iterator in between doubles the CPU per token. */
export async function openChatStream(reply: IncomingReply, upstream: Upstream): Promise<ChatStream> {
  const contentType = reply.get('content-type') ?? '';
  if (contentType.includes('application/json')) {
    // A server that cannot stream, or an error that travels as 200.
    readBody(await reply.text(), upstream);
    throw malformed(upstream, 'a stream of events', contentType);
  }
  const reader = new ChatStreamReader(upstream);
  let fault: Error | null = null;
  let wake = () => {};

  reply.read({
    text(text) {
      reader.feed(text);
      if (reader.unreadChars > MAX_UNREAD_CHARS) reply.pause();
      wake();
    },
    ended() {
      // The blank line ends an event whose own was left out before the close.
      reader.feed('\n\n');
      wake();
    },
    broke(error) {
      fault = error;
      wake();
    },
  });

  return {
    reader,
    async more() {
      if (reader.unreadChars <= MAX_UNREAD_CHARS && reply.paused) reply.resume();
      const over = () => reader.done || reader.failure !== null || reply.over;
      if (!over() && !reader.hasChunks) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      // A socket that breaks after the finish breaks nothing that matters: the reply is whole.
      if (fault !== null && !reader.finished && !reader.hasChunks) throw fault;
      return reader.hasChunks || !over();
    },
    close() {
      if (reader.done && reader.failure === null) drain(reply);
      else reply.destroy();
    },
  };
}

/** Takes the last bytes after `[DONE]`, in the background: only a body that came to its end gives its socket back to the pool. */
function drain(reply: IncomingReply): void {
  if (reply.over) return;
  const timer = setTimeout(() => reply.destroy(), DRAIN_MS).unref();
  const stop = (): void => clearTimeout(timer);
  reply.read({ text: () => {}, ended: stop, broke: stop });
  if (reply.paused) reply.resume();
}
