import type { IncomingMessage } from 'node:http';
import { ChatStreamReader } from './chat-stream-reader.ts';
import { textOf } from './incoming-message.ts';
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

/** Listens rather than iterates: an iterator over a web stream doubles the CPU per token. */
export async function openChatStream(message: IncomingMessage, upstream: Upstream): Promise<ChatStream> {
  const contentType = message.headers['content-type'] ?? '';
  if (contentType.includes('application/json')) {
    // A server that cannot stream, or an error that travels as 200.
    readBody(await textOf(message), upstream);
    throw malformed(upstream, 'a stream of events', contentType);
  }
  message.setEncoding('utf8');
  const reader = new ChatStreamReader(upstream);
  let fault: Error | null = null;
  let wake = () => {};

  message.on('data', (text: string) => {
    reader.feed(text);
    if (reader.unreadChars > MAX_UNREAD_CHARS) message.pause();
    wake();
  });
  message.on('end', () => {
    // The blank line ends an event whose own was left out before the close.
    reader.feed('\n\n');
    wake();
  });
  message.on('error', (error) => {
    fault ??= error;
    wake();
  });
  message.on('close', () => wake());

  return {
    reader,
    async more() {
      if (reader.unreadChars <= MAX_UNREAD_CHARS && message.isPaused()) message.resume();
      const over = () => reader.done || reader.failure !== null || message.readableEnded || message.destroyed;
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
      if (reader.done && reader.failure === null) drain(message);
      else if (!message.readableEnded) message.destroy();
    },
  };
}

/** Reads the last bytes after `[DONE]`, in the background: only a body read to its end gives its socket back to the pool. */
function drain(message: IncomingMessage): void {
  if (message.readableEnded) return;
  const timer = setTimeout(() => message.destroy(), DRAIN_MS).unref();
  message.once('close', () => clearTimeout(timer));
  message.resume();
}
