/**
 * The gateway as an MCP server: lists its tools, then asks a question and shows how far it is, and the sources of the answer. Ctrl-C cancels
 * the run at the gateway.
 *
 *     node examples/mcp-client.ts "how do I resume a stream?"
 */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const endpoint = new URL('/mcp', process.env['SLUICE_URL'] ?? 'http://127.0.0.1:4000');
const apiKey = process.env['SLUICE_API_KEY'];
const [question = 'how do I resume a stream?'] = process.argv.slice(2);

const cancel = new AbortController();
process.once('SIGINT', () => cancel.abort());

const client = new Client({ name: 'mcp-client-example', version: '1' }, { versionNegotiation: { mode: 'auto' } });
const headers = apiKey ? { authorization: `Bearer ${apiKey}` } : {};
await client.connect(new StreamableHTTPClientTransport(endpoint, { requestInit: { headers } }));

const { tools } = await client.listTools();
for (const { name, description } of tools) console.log(`${name}: ${description}`);

const result = await client.callTool(
  { name: 'ask', arguments: { question } },
  {
    signal: cancel.signal,
    timeout: 600_000,
    onprogress: ({ message }) => console.error(`… ${message}`),
  },
);
console.log(`\n${question}`);
for (const part of result.content) if (part.type === 'text') console.log(part.text);
await client.close();
if (result.isError) process.exitCode = 1;
