import { configFile } from '../../helpers/config-file.ts';
import { ingest, startGatewayWithVendor, type TestGateway } from '../../helpers/gateway.ts';
import type { Vendor } from '../../helpers/vendor/vendor.ts';

/** A gateway with something to find and a tool that needs an approval, and the vendor behind it. */
export interface ClientRig extends AsyncDisposable {
  readonly gateway: TestGateway;
  readonly vendor: Vendor;
}

export async function startClientRig(): Promise<ClientRig> {
  await using opened = new AsyncDisposableStack();
  const config = opened.use(await configFile({ tools: { settings: { calculate: { requiresApproval: true } } } }));
  const { gateway, vendor } = opened.use(await startGatewayWithVendor({ environment: config.environment }));
  await ingest(gateway, [
    { externalId: 'lighthouse', title: 'The lighthouse', text: 'The lamp of the lighthouse turns twice a minute.' },
    { externalId: 'harbour', title: 'The harbour', text: 'Fishing boats leave the harbour at four in the morning.' },
  ]);
  const resources = opened.move();
  return { gateway, vendor, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

export const searchQuery = `query ClientsSearch($query: String!) {
  search(query: $query, first: 1) { nodes { text document { title } } }
}`;
export const searchVariables = { query: 'When do fishing boats leave?' };
export const found = {
  search: {
    nodes: [{ text: 'Fishing boats leave the harbour at four in the morning.', document: { title: 'The harbour' } }],
  },
};
