import { type CallToolResult, Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { TestGateway } from '../../helpers/gateway.ts';

export type Era = 'of 2025' | 'of 2026';
export const eras: readonly Era[] = ['of 2025', 'of 2026'];

/** The reference client, in the revision of the protocol that clients of that year speak. */
export async function mcpClient(
  gateway: Pick<TestGateway, 'url'>,
  { era = 'of 2026', headers = {} }: { readonly era?: Era; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Client & AsyncDisposable> {
  const client = new Client(
    { name: 'test', version: '1' },
    { versionNegotiation: { mode: era === 'of 2026' ? { pin: '2026-07-28' } : 'legacy' } },
  );
  const url = new URL('/mcp', gateway.url);
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers } }));
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() });
}

export function textIn({ content }: CallToolResult): string {
  return content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n');
}
