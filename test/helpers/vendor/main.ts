import { parseArgs } from 'node:util';
import { startVendor } from './vendor.ts';

const usage = `node test/helpers/vendor/main.ts [options]: an OpenAI-compatible vendor on loopback
  --port N               default 4010; 0: any free one
  --latency-ms N         before the headers of every answer
  --first-token-ms N     between the headers and the first token
  --tokens-per-second N  default 0: as fast as the socket takes them
  --tokens N             replies of so many words instead of the default reply
  --dimensions N         default 256
  --api-key KEY          refuse every other
  --fast                 count tokens as a quarter of the characters, and keep a journal of 1,000 calls
  --stamp                each token is the time it was due, in epoch ms: for measuring lateness
`;

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '4010' },
    'latency-ms': { type: 'string', default: '0' },
    'first-token-ms': { type: 'string', default: '0' },
    'tokens-per-second': { type: 'string', default: '0' },
    tokens: { type: 'string' },
    dimensions: { type: 'string', default: '256' },
    'api-key': { type: 'string' },
    fast: { type: 'boolean', default: false },
    stamp: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(usage);
} else {
  const words = values.tokens === undefined ? undefined : number('tokens', values.tokens);
  const vendor = await startVendor({
    port: number('port', values.port),
    dimensions: number('dimensions', values.dimensions),
    defaults: {
      latencyMs: number('latency-ms', values['latency-ms']),
      firstTokenMs: number('first-token-ms', values['first-token-ms']),
      tokensPerSecond: number('tokens-per-second', values['tokens-per-second']),
      ...(words === undefined ? {} : { reply: Array.from({ length: words }, (_, index) => `word${index}`).join(' ') }),
    },
    ...(values['api-key'] === undefined ? {} : { apiKey: values['api-key'] }),
    ...(values.fast ? { countTokens: (text: string) => Math.ceil(text.length / 4), keepCalls: 1_000 } : {}),
    stampTokens: values.stamp,
  });
  console.log(`vendor on ${vendor.url}`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void vendor.close());
}

function number(name: string, value: string): number {
  const parsed = Number(value);
  if (Number.isFinite(parsed) && parsed >= 0) return parsed;
  throw new Error(`--${name} must be a number of 0 or more, got ${JSON.stringify(value)}`);
}
