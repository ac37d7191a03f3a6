import { WebSocketServer } from 'ws';

/** The floor of a fan-out: the same text to every socket, so often a second, so many times; once all of them are there. */
const [sockets = 0, messages = 0, perSecond = 1, bytes = 100] = process.argv.slice(2).map(Number);
const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
const text = 'x'.repeat(bytes);
server.on('connection', () => {
  if (server.clients.size < sockets) return;
  let sent = 0;
  const timer = setInterval(() => {
    for (const client of server.clients) client.send(text);
    sent += 1;
    if (sent < messages) return;
    clearInterval(timer);
    for (const client of server.clients) client.close();
  }, 1_000 / perSecond);
});
server.on('listening', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') console.log(`ws://127.0.0.1:${address.port}`);
});
