import { configFile } from '../../helpers/config-file.ts';
import { startGatewayWithVendor, type TestGateway } from '../../helpers/gateway.ts';
import type { Vendor } from '../../helpers/vendor/vendor.ts';

/** $1 a million tokens each way: a call of n tokens costs n millionths of a dollar. */
const prices = { inputUsdPerMillion: 1, cachedInputUsdPerMillion: 1, outputUsdPerMillion: 1 };
export const models = [
  { name: 'gpt-4.1-mini', ...prices },
  { name: 'text-embedding-3-small', inputUsdPerMillion: 1 },
  { name: 'boundless', ...prices },
  { name: 'nameless' },
];

/** A gateway over a vendor double whose tenant `default` has these limits. */
export async function startLimited(
  limits: object,
  more: { readonly allowUnknownPrice?: boolean } = {},
): Promise<{ readonly gateway: TestGateway; readonly vendor: Vendor } & AsyncDisposable> {
  await using opened = new AsyncDisposableStack();
  const file = opened.use(await configFile({ openai: { models }, tenants: { default: { limits, ...more } } }));
  const { gateway, vendor } = opened.use(await startGatewayWithVendor({ environment: file.environment }));
  const resources = opened.move();
  return { gateway, vendor, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

export const startChat = `mutation Start($input: StartChatInput!) {
  startChat(input: $input) {
    run { runId status finished { status usage { inputTokens outputTokens calls costUsd estimated } error { code message retryAfterMs details } } }
  }
}`;

export interface Started {
  readonly startChat: {
    readonly run: {
      readonly runId: string;
      readonly finished: {
        readonly status: string;
        readonly usage: {
          readonly inputTokens: number;
          readonly outputTokens: number;
          readonly costUsd: number | null;
        };
        readonly error: { readonly code: string; readonly message: string; readonly details: unknown } | null;
      };
    };
  };
}

/** A question that asks for 5 tokens at most, of a model that gives exactly as many. */
export const bounded = <T extends object>(message: string, more?: T) => ({
  message,
  retrieval: null,
  store: false,
  maxOutputTokens: 5,
  ...more,
});
