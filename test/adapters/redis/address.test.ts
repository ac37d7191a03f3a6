import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../../adapters/redis/address.ts';

describe('parseAddress', () => {
  it.each([
    ['redis://localhost', [{ host: 'localhost', port: 6379 }], {}],
    ['redis://127.0.0.1:7000/3', [{ host: '127.0.0.1', port: 7000 }], { db: 3 }],
    ['redis://[::1]:7000/', [{ host: '::1', port: 7000 }], {}],
    ['redis://:secret@host', [{ host: 'host', port: 6379 }], { password: 'secret' }],
    ['redis://ann:a%2Fb%3Ac:d@host', [{ host: 'host', port: 6379 }], { username: 'ann', password: 'a/b:c:d' }],
    ['rediss://ann:x@host:1', [{ host: 'host', port: 1 }], { username: 'ann', password: 'x', tls: {} }],
  ])('reads %s', (url, nodes, options) => {
    expect(parseAddress(url)).toMatchObject({ cluster: false, nodes, options });
    expect(Object.keys(parseAddress(url).options).toSorted()).toEqual(Object.keys(options).toSorted());
  });

  it('reads the nodes of a cluster, and shows no password', () => {
    const address = parseAddress('rediss+cluster://ann:secret@a:1,b:2,[::1]:3');
    expect(address).toEqual({
      cluster: true,
      nodes: [
        { host: 'a', port: 1 },
        { host: 'b', port: 2 },
        { host: '::1', port: 3 },
      ],
      options: { username: 'ann', password: 'secret', tls: {} },
      label: 'a:1,b:2,::1:3',
    });
  });

  it.each([
    'http://host',
    'redis://',
    'redis://a:1,b:2',
    'redis+cluster://a:1,b:2/3',
    'redis://host/three',
    'redis://host:port',
    'redis://ann:secret@',
  ])('refuses %s, without repeating it', (url) => {
    expect(() => parseAddress(url)).toThrow(/^expected redis:/);
  });
});
