import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A real connection: our side of its response, and the reader's, once `begin` has sent the headers. */
export async function heldResponse<T>(
  begin: (response: ServerResponse) => T,
): Promise<
  AsyncDisposable & { readonly response: ServerResponse; readonly reader: IncomingMessage; readonly begun: T }
> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const requested = once(server, 'request');
  const request = get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' });
  const answered = once(request, 'response');
  const [, response] = (await requested) as [IncomingMessage, ServerResponse];
  const begun = begin(response);
  const [reader] = (await answered) as [IncomingMessage];
  return {
    response,
    reader,
    begun,
    async [Symbol.asyncDispose]() {
      request.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
