import { createServer, request } from 'node:http';

/** The floor: passes a stream on and does nothing else. Its argument is the vendor's base URL; prints its own. */
const target = new URL(process.argv[2] ?? '');
const server = createServer((incoming, outgoing) => {
  const passed = request(
    { host: target.hostname, port: target.port, path: incoming.url, method: 'POST', headers: incoming.headers },
    (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
      // A pipe passes an end on, and no break.
      answer.on('error', () => outgoing.destroy());
    },
  );
  incoming.pipe(passed);
  outgoing.on('close', () => passed.destroy());
  passed.on('error', () => outgoing.destroy());
}).listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object')
    console.log(`http://127.0.0.1:${address.port}${target.pathname}`);
});
