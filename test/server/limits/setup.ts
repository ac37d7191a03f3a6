import { expect } from 'vitest';
import { configFile } from '../../helpers/config-file.ts';
import { type GraphQLResult, startGatewayWithVendor, type TestGateway } from '../../helpers/gateway.ts';
import type { Vendor } from '../../helpers/vendor/vendor.ts';

export const limits = {
  maxBodyBytes: 100_000,
  maxSockets: 3,
  maxOperationsPerSocket: 2,
  maxRuns: 1,
  maxQueuedRuns: 1,
  maxDocumentsPerIngest: 2,
  maxDocumentChars: 1_000,
  maxMessageChars: 1_000,
  maxHistoryMessages: 2,
  maxQueryChars: 100,
};

/** A gateway with these limits, and the vendor behind it. */
export async function startSmall(): Promise<
  AsyncDisposable & { readonly gateway: TestGateway; readonly vendor: Vendor }
> {
  await using file = await configFile({ limits, timeouts: { totalMs: 30_000 } });
  return await startGatewayWithVendor(file);
}

/** The one error of a result: its code, and its message with the name of the configuration value. */
export function expectRefusal(
  { data, errors }: GraphQLResult<unknown>,
  code: string,
  name: string,
  extensions: Readonly<Record<string, unknown>> = {},
): void {
  expect(errors).toHaveLength(1);
  expect(errors?.[0]).toMatchObject({ extensions: { code, ...extensions }, message: expect.stringContaining(name) });
  expect(Object.values(data ?? {}).filter((value) => value !== null)).toEqual([]);
}
