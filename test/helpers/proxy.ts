import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface Proxy extends AsyncDisposable {
  readonly port: number;
  /** Connections now. */
  readonly connections: number;
  /** Cuts every connection at once, with a reset. New ones may come. */
  cut(): void;
  /** Cuts every connection and refuses new ones, until `open`. */
  close(): void;
  open(): void;
  /** Each piece of data takes so much longer, in both directions. */
  delay(ms: number): void;
  /**
   * What the client sends still arrives; what the server answers is held back, as on a network that lost one direction. Then
   * `cut` loses the answers for good, and `flow` lets them through.
   */
  holdAnswers(): void;
  /** What the client sends is held back as well: everything is silent, and no connection ends. */
  holdAll(): void;
  flow(): void;
  /** Sends the client the end of the stream, while it may go on sending. */
  halfClose(): void;
  /** Resolves when this many bytes more have come from clients. */
  requested(bytes: number): Promise<void>;
}

interface Link {
  readonly client: Socket;
  readonly server: Socket;
}

/** Stands between a client and a server on this machine, and has the network's faults. */
export async function startProxy(target: { readonly port: number; readonly host?: string }): Promise<Proxy> {
  const links = new Set<Link>();
  let isOpen = true;
  let delayMs = 0;
  let held: 'none' | 'answers' | 'all' = 'none';
  let requestedBytes = 0;
  const waiting = new Set<() => void>();

  const listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    if (!isOpen) {
      client.on('error', () => {});
      client.resetAndDestroy();
      return;
    }
    const server = connect({ port: target.port, host: target.host ?? '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const link = { client, server };
    links.add(link);
    pipe(client, server, link);
    pipe(server, client, link);
    client.on('data', (chunk: Buffer) => {
      requestedBytes += chunk.length;
      for (const look of waiting) look();
    });
    hold(link);
  });

  function pipe(from: Socket, to: Socket, link: Link): void {
    // In order, whatever the delay is when each piece comes.
    let before: Promise<unknown> = Promise.resolve();
    const later = (act: () => void) => {
      if (delayMs === 0 && before === settled) return act();
      const due = delayMs > 0 ? new Promise((resolve) => setTimeout(resolve, delayMs)) : undefined;
      const mine = before.then(() => due).then(act);
      before = mine;
      mine.then(() => {
        if (before === mine) before = settled;
      });
    };
    const settled = before;
    from.on('data', (chunk) => later(() => to.writable && to.write(chunk)));
    from.on('end', () => later(() => to.end()));
    from.on('error', () => end(link));
    from.on('close', () => later(() => end(link)));
  }

  function end(link: Link): void {
    links.delete(link);
    link.client.destroy();
    link.server.destroy();
  }

  function hold({ client, server }: Link): void {
    if (held === 'none') server.resume();
    else server.pause();
    if (held === 'all') client.pause();
    else client.resume();
  }

  function setHeld(next: typeof held): void {
    held = next;
    for (const link of links) hold(link);
  }

  function cut(): void {
    for (const link of links) {
      link.client.resetAndDestroy();
      end(link);
    }
  }

  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error(`no port: ${address}`);

  return {
    port: address.port,
    get connections() {
      return links.size;
    },
    cut,
    close() {
      isOpen = false;
      cut();
    },
    open() {
      isOpen = true;
    },
    delay(ms) {
      delayMs = ms;
    },
    holdAnswers: () => setHeld('answers'),
    holdAll: () => setHeld('all'),
    flow: () => setHeld('none'),
    halfClose() {
      for (const { client } of links) client.end();
    },
    requested(bytes) {
      const until = requestedBytes + bytes;
      return new Promise((resolve) => {
        const look = () => {
          if (requestedBytes < until) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      });
    },
    [Symbol.asyncDispose]: async () => {
      cut();
      listener.close();
      await once(listener, 'close');
    },
  };
}
