import { describe, expect, it } from 'vitest';
import { type FakeGatewayOptions, startFakeGateway } from './fake-gateway.ts';
import { runCommand } from './run-command.ts';

const hit = {
  score: 0.9134,
  vectorScore: 0.7,
  keywordScore: null,
  highlights: ['High <mark>water</mark> is at 04:12 &amp; 16:38', 'a &lt;b&gt; c'],
  node: {
    id: 'UGFzc2FnZTox',
    text: 'High water is at 04:12 & 16:38.',
    position: 0,
    document: { externalId: 'tides.txt', title: 'Tide table', url: 'https://example.org/tides', metadata: {} },
  },
};
const found = (...edges: unknown[]): FakeGatewayOptions => ({
  search: () => ({ edges, timings: { embedMs: 1, retrieveMs: 2, totalMs: 3 } }),
});

describe('sluice search', () => {
  it('prints title, score, place and what matched', async () => {
    await using gateway = await startFakeGateway(found(hit, { ...hit, highlights: [] }));
    const { code, stdout, stderr } = await runCommand(['search', 'water'], { env: { SLUICE_URL: gateway.url } });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(
      [
        '1. Tide table  (0.913)',
        '   tides.txt  https://example.org/tides',
        '   High water is at 04:12 & 16:38 … a <b> c',
        '',
        '2. Tide table  (0.913)',
        '   tides.txt  https://example.org/tides',
        '   High water is at 04:12 & 16:38.',
        '',
      ].join('\n'),
    );
  });

  it('sends what the options say, to an address without a path too', async () => {
    let asked: unknown;
    await using gateway = await startFakeGateway({
      search: (variables) => {
        asked = variables;
        return { edges: [], timings: { embedMs: 0, retrieveMs: 0, totalMs: 0 } };
      },
    });
    const { code, stdout, stderr } = await runCommand([
      'search',
      'water',
      '--in',
      'sea',
      '--first',
      '3',
      '--mode',
      'keyword',
      '--url',
      new URL(gateway.url).origin,
    ]);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: 'nothing found in "sea"\n' });
    expect(asked).toEqual({ query: 'water', in: 'sea', first: 3, mode: 'KEYWORD' });
  });

  it('prints JSON that a program can read', async () => {
    await using gateway = await startFakeGateway(found(hit));
    const { stdout } = await runCommand(['search', 'water', '--json', '--url', gateway.url]);
    expect(JSON.parse(stdout)).toMatchObject({ edges: [hit], timings: { totalMs: 3 } });
  });

  it('takes escape sequences out of what it shows on a terminal', async () => {
    const document = { ...hit.node.document, title: 'evil \u001b]0;title\u0007\u009b2J' };
    await using gateway = await startFakeGateway(
      found({ ...hit, highlights: ['\u001b[2J<mark>gone</mark>'], node: { ...hit.node, document } }),
    );
    const { stdout } = await runCommand(['search', 'water', '--url', gateway.url]);
    expect(stdout).toContain('1. evil ]0;title2J  (0.913)');
    expect(stdout).toMatch(/^[^\p{Cc}]*$/mu);
    expect(stdout).not.toContain('\u001b');
  });

  it('sends the key, and says what to do when there is none', async () => {
    await using gateway = await startFakeGateway({ ...found(hit), apiKey: 'sl_secret' });
    const without = await runCommand(['search', 'water', '--url', gateway.url]);
    const withKey = await runCommand(['search', 'water', '--url', gateway.url], {
      env: { SLUICE_API_KEY: 'sl_secret' },
    });
    expect(without).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'sluice: UNAUTHENTICATED: this gateway wants an API key: set SLUICE_API_KEY, or give --api-key\n',
    });
    expect(withKey.code).toBe(0);
    expect(gateway.authorizations).toEqual([null, 'Bearer sl_secret']);
  });
});
