import type { LookupAddress } from 'node:dns';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, LookupFunction } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HttpGetOptions, httpGet } from '../../../adapters/http-get/http-get.ts';
import { isPublicAddress } from '../../../adapters/http-get/public-address.ts';
import { toolIo } from '../../core/tools/rig.ts';

/* A server stands for every public address that there is; whatever else a socket is led to is a way through. */

const publicAddress = '93.184.215.14';
let server: Server;
let port: number;
const seen: string[] = [];
const pages = new Map<string, RequestListener>();

beforeAll(async () => {
  server = createServer((request, response) => {
    seen.push(request.url ?? '');
    const page = pages.get(request.url ?? '');
    if (page !== undefined) page(request, response);
    else response.writeHead(200, { 'content-type': 'text/plain' }).end('public');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** What the names of the suite stand for; a list of lists: another one at each look-up. */
const names: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'public.example': [[publicAddress]],
  'six.example': [['2606:2800:21f:cb07:6820:80da:af6b:8b2c']],
  'loopback.example': [['127.0.0.1']],
  'metadata.example': [['169.254.169.254']],
  'private.example': [['10.1.2.3']],
  'mapped.example': [['::ffff:192.168.0.1']],
  'mixed.example': [[publicAddress, '127.0.0.1']],
  'mixed6.example': [[publicAddress, '::1']],
  'rebinding.example': [[publicAddress], ['127.0.0.1']],
  'late.example': [['127.0.0.1'], [publicAddress]],
  'nowhere.example': [[]],
  localhost: [['127.0.0.1', '::1']],
};

/** A tool whose sockets go to the server instead of where they were led, and what they were led to. */
function tool(options: Partial<HttpGetOptions> = {}) {
  const lookUps = new Map<string, number>();
  const dialled: string[] = [];
  const resolve = async (host: string): Promise<LookupAddress[]> => {
    const times = lookUps.get(host) ?? 0;
    lookUps.set(host, times + 1);
    const answers = names[host] ?? [];
    const addresses = answers[Math.min(times, answers.length - 1)] ?? [];
    return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  };
  const dial =
    (checked: LookupFunction): LookupFunction =>
    (host, lookupOptions, callback) =>
      checked(host, { ...lookupOptions, all: true }, (error, addresses) => {
        if (error !== null) return callback(error, '');
        dialled.push(...(addresses as LookupAddress[]).map(({ address }) => address));
        if (lookupOptions.all === true) return callback(null, [{ address: '127.0.0.1', family: 4 }]);
        return callback(null, '127.0.0.1', 4);
      });
  const hosts = ['*', `*:${port}`];
  const made = httpGet({ hosts, maxBytes: 100_000, maxResultChars: 20_000, resolve, dial, ...options });
  const get = (url: string, signal = AbortSignal.timeout(5_000)) => made.call({ url }, toolIo({ signal }));
  return { get, dialled };
}

const redirectTo = (path: string, location: string, status = 302): void =>
  void pages.set(path, (_request, response) => response.writeHead(status, { location }).end());

/** With PORT for the server's, so that a look-up that is let through arrives somewhere. */
const refused: readonly string[] = [
  // Loopback, in every spelling that URL parsers know.
  'http://127.0.0.1:PORT/',
  'http://127.1:PORT/',
  'http://2130706433:PORT/',
  'http://0x7f000001:PORT/',
  'http://0x7f.0.0.1:PORT/',
  'http://0177.0.0.1:PORT/',
  'http://017700000001:PORT/',
  'http://127.0.0.1.:PORT/',
  'http://127.255.255.254:PORT/',
  'http://0:PORT/',
  'http://0.0.0.0:PORT/',
  'http://%31%32%37.0.0.1:PORT/',
  'http://①②⑦.⓪.⓪.①:PORT/',
  'http://localhost:PORT/',
  'http://LOCALHOST:PORT/',
  'http://localhost.:PORT/',
  // IPv6, and IPv4 in it.
  'http://[::1]:PORT/',
  'http://[::]:PORT/',
  'http://[0:0:0:0:0:0:0:1]:PORT/',
  'http://[::ffff:127.0.0.1]:PORT/',
  'http://[::ffff:7f00:1]:PORT/',
  'http://[::127.0.0.1]:PORT/',
  'http://[::7f00:1]:PORT/',
  'http://[64:ff9b::7f00:1]:PORT/',
  'http://[64:ff9b:1::7f00:1]:PORT/',
  'http://[2002:7f00:1::]:PORT/',
  'http://[2001:0:7f00:1::]:PORT/',
  'http://[fe80::1]:PORT/',
  'http://[fc00::1]:PORT/',
  'http://[fd00:ec2::254]:PORT/',
  'http://[fec0::1]:PORT/',
  'http://[ff02::1]:PORT/',
  'http://[::ffff:0:127.0.0.1]:PORT/',
  'http://[2001:db8::1]:PORT/',
  // Private, link-local, shared, reserved, multicast, metadata.
  'http://10.0.0.1:PORT/',
  'http://172.16.0.1:PORT/',
  'http://172.31.255.255:PORT/',
  'http://192.168.1.1:PORT/',
  'http://169.254.169.254:PORT/latest/meta-data/',
  'http://2852039166:PORT/',
  'http://0xA9FEA9FE:PORT/',
  'http://[::ffff:a9fe:a9fe]:PORT/',
  'http://100.64.0.1:PORT/',
  'http://192.0.0.192:PORT/',
  'http://198.18.0.1:PORT/',
  'http://224.0.0.1:PORT/',
  'http://240.0.0.1:PORT/',
  'http://255.255.255.255:PORT/',
  // Names.
  'http://loopback.example:PORT/',
  'http://metadata.example:PORT/',
  'http://private.example:PORT/',
  'http://mapped.example:PORT/',
  'http://mixed.example:PORT/',
  'http://mixed6.example:PORT/',
  'http://late.example:PORT/',
  'http://nowhere.example:PORT/',
  // What is no address to get.
  'file:///etc/passwd',
  'ftp://public.example/',
  'gopher://public.example:PORT/',
  'data:text/plain,hello',
  'javascript:alert(1)',
  'http://user:password@public.example:PORT/',
  'http://public.example@127.0.0.1:PORT/',
  'http://public.example:1/',
  'http://public.example:22/',
  '//127.0.0.1:PORT/',
  '/etc/passwd',
  'http://',
  'http:///',
  `http://public.example:PORT/${'x'.repeat(2_000)}`,
];

const redirects: [path: string, location: string, status?: number][] = [
  ['/to-loopback', 'http://127.0.0.1:PORT/secret'],
  ['/to-decimal', 'http://2130706433:PORT/secret', 301],
  ['/to-mapped', 'http://[::ffff:127.0.0.1]:PORT/secret', 307],
  ['/to-metadata', 'http://169.254.169.254:PORT/latest/', 308],
  ['/to-name', 'http://loopback.example:PORT/secret', 303],
  ['/to-file', 'file:///etc/passwd'],
  ['/to-port', 'http://public.example:22/'],
  ['/to-user', 'http://a:b@public.example:PORT/'],
  ['/to-relative', '//[::1]:PORT/secret'],
  ['/to-chain', '/to-loopback'],
  ['/to-itself', '/to-itself'],
  ['/to-rebinding', 'http://late.example:PORT/secret'],
];

describe('http_get', () => {
  it.each(refused)('does not get %s', async (url) => {
    const { get, dialled } = tool();
    const before = seen.length;
    await expect(get(url.replace('PORT', String(port)))).rejects.toMatchObject({ name: 'GatewayError' });
    expect(dialled).toEqual([]);
    expect(seen.length).toBe(before);
  });

  it.each(redirects)('does not follow a redirect from %s to %s', async (path, location, status = 302) => {
    redirectTo(path, location.replace('PORT', String(port)), status);
    const { get, dialled } = tool();
    await expect(get(`http://public.example:${port}${path}`)).rejects.toMatchObject({
      code: expect.stringMatching(/FORBIDDEN|BAD_INPUT|NOT_FOUND/),
    });
    expect(dialled.every(isPublicAddress)).toBe(true);
    expect(seen).not.toContain('/secret');
  });

  it('hands the socket the addresses that it has checked, whatever the name stands for a moment later', async () => {
    const { get, dialled } = tool();
    await get(`http://rebinding.example:${port}/first`);
    expect(dialled).toEqual([publicAddress]);
    await expect(get(`http://rebinding.example:${port}/second`)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(dialled).toEqual([publicAddress]);
    expect(seen).not.toContain('/second');
  });

  it('says nothing of the network that it found', async () => {
    const { get } = tool();
    const error = await get(`http://private.example:${port}/`).catch((cause: unknown) => cause);
    expect(String(error)).toContain('private.example leads to an address that is not public');
    expect(String(error)).not.toContain('10.1.2.3');
  });

  it('reads the listed hosts only, on their own ports, also after a redirect', async () => {
    const hosts = [`public.example:${port}`, '*.docs.example'];
    const { get } = tool({ hosts });
    expect((await get(`http://public.example:${port}/page`)).value).toMatchObject({ status: 200, text: 'public' });
    for (const url of [
      `http://six.example:${port}/`,
      'http://public.example/',
      'https://docs.example/',
      'https://adocs.example/',
    ]) {
      await expect(get(url)).rejects.toMatchObject({
        code: 'FORBIDDEN',
        message: `url is of a host or port that http_get may not read (it may read ${hosts.join(', ')}).`,
      });
    }
    redirectTo('/away', `http://six.example:${port}/`);
    await expect(get(`http://public.example:${port}/away`)).rejects.toThrow('The redirect is of a host or port');
  });

  it('follows what it may, to the address that the answer then has', async () => {
    redirectTo('/old', '/older', 301);
    redirectTo('/older', `http://six.example:${port}/new?x=1`, 308);
    const { get, dialled } = tool();
    const { value } = await get(`http://public.example:${port}/old`);
    expect(value).toEqual({
      ...{ url: `http://six.example:${port}/new?x=1`, status: 200, title: null, text: 'public', isWhole: true },
    });
    expect(dialled).toEqual([publicAddress, publicAddress, '2606:2800:21f:cb07:6820:80da:af6b:8b2c']);
  });
});

describe('an answer', () => {
  const page = async (path: string, listener: RequestListener, options: Partial<HttpGetOptions> = {}) => {
    pages.set(path, listener);
    return (await tool(options).get(`http://public.example:${port}${path}`)).value as Record<string, unknown>;
  };
  const sends =
    (type: string, body: string | Buffer, headers: Record<string, string> = {}): RequestListener =>
    (_request, response) =>
      response.writeHead(200, { 'content-type': type, ...headers }).end(body);

  it('of HTML is the text that a reader sees, with its title and the addresses of its links', async () => {
    const html = `<html><head><title>Otters &amp; co</title><style>p{}</style></head><body><script>alert(1)</script>
      <h1>Otters</h1><p>They <b>swim</b>, see <a href="/map?x=1">the map</a>.</p><img src="https://evil.example/x"></body></html>`;
    expect(await page('/html', sends('text/html; charset=utf-8', html))).toMatchObject({
      title: 'Otters & co',
      text: `Otters\n\nThey swim, see the map [http://public.example:${port}/map?x=1].`,
    });
  });

  it('that is nested to hurt holds up nobody else', async () => {
    let turns = 0;
    const counting = setInterval(() => {
      turns += 1;
    }, 5);
    const nested = sends('text/html', '<div>'.repeat(18_000));
    const reading = page('/nested', nested);
    const outcome = await reading.then(
      ({ text }) => typeof text,
      ({ code }: { code: string }) => code,
    );
    clearInterval(counting);
    expect(['string', 'BAD_INPUT']).toContain(outcome);
    expect(turns).toBeGreaterThan(5);
  });

  it('keeps its characters, whatever they are written in', async () => {
    const latin = Buffer.from('<meta charset="latin1"><p>Müller</p>', 'latin1');
    expect(await page('/latin', sends('text/html', latin))).toMatchObject({ text: 'Müller' });
    expect(
      await page('/gzip', sends('application/json', gzipSync('{"a": 1}'), { 'content-encoding': 'gzip' })),
    ).toMatchObject({
      text: '{"a": 1}',
    });
  });

  it.each([
    ['image/png', Buffer.alloc(10)],
    ['application/octet-stream', Buffer.alloc(10)],
    ['', Buffer.alloc(10)],
  ])('of the type %j is refused', async (type, body) => {
    await expect(page('/type', sends(type, body))).rejects.toMatchObject({ code: 'BAD_INPUT' });
  });

  it('without end is cut at its bound, and so is one that unpacks to a thousand times its size', async () => {
    const endless: RequestListener = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' });
      const write = (): void => {
        while (!response.destroyed && response.write('x'.repeat(16_384)));
      };
      response.on('drain', write);
      write();
    };
    expect(await page('/endless', endless)).toMatchObject({ isWhole: false });
    const bomb = gzipSync(Buffer.alloc(50_000_000, 'x'));
    const unpacked = await page('/bomb', sends('text/plain', bomb, { 'content-encoding': 'gzip' }));
    expect(unpacked['isWhole']).toBe(false);
    expect(JSON.stringify(unpacked).length).toBeLessThan(20_000);
  });

  it('fits into a result, escapes included', async () => {
    const value = await page('/escapes', sends('text/plain', '\u0001"\n'.repeat(20_000)));
    expect(JSON.stringify(value).length).toBeLessThanOrEqual(20_000);
    expect(String(value['text']).length).toBeGreaterThan(1_000);
  });

  it('that is not there, is broken, or does not come is a failure that says so', async () => {
    expect(
      await page('/404', (_request, response) => response.writeHead(404, { 'content-type': 'text/plain' }).end('gone')),
    ).toMatchObject({
      status: 404,
      text: 'gone',
    });
    await expect(page('/reset', (request) => request.socket.destroy())).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      message: `public.example:${port} could not be read: ECONNRESET.`,
    });
    const broken = sends('text/plain', 'no gzip', { 'content-encoding': 'gzip' });
    await expect(page('/broken', broken)).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    pages.set('/silent', () => {});
    const late = new AbortController();
    const waiting = tool().get(`http://public.example:${port}/silent`, late.signal);
    late.abort(new Error('too late'));
    await expect(waiting).rejects.toThrow('too late');
  });
});
