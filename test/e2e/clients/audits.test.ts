import { serverAudits } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGatewayWithVendor, type TestGateway } from '../../helpers/gateway.ts';

const opened = new AsyncDisposableStack();
let gateway: TestGateway;

beforeAll(async () => {
  ({ gateway } = opened.use(await startGatewayWithVendor()));
});
afterAll(() => opened.disposeAsync());

const audits = serverAudits({ url: () => gateway.url });

describe('GraphQL over HTTP, as graphql-http audits it', () => {
  it('is audited in 61 points', () => {
    expect(audits).toHaveLength(61);
  });

  it.each(audits)('$id: $name', async ({ fn }) => {
    expect(await fn()).toMatchObject({ status: 'ok' });
  });
});
