import fc from 'fast-check';
import pLimit from 'p-limit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { schema } from '../../schema/index.ts';
import { temporaryDataDirectory } from '../helpers/embedded-database.ts';
import { type GatewayProcess, startGatewayProcess } from '../helpers/gateway-process.ts';
import { startVendor } from '../helpers/vendor/vendor.ts';
import { key } from './fuzz/key.ts';
import { filled, type KnownName } from './fuzz/known-names.ts';
import { prepare } from './fuzz/prepare.ts';
import { type FuzzRequest, httpRequest } from './fuzz/requests.ts';
import { faultsOf, outcomesOf, send } from './fuzz/send.ts';
import { faultsOnSocket, socketFrames } from './fuzz/sockets.ts';

/** Every case comes from it: a fault that was found is found again. Another one, and more cases, for a longer look. */
const seed = Number(process.env['FUZZ_SEED'] ?? 20_260_131);
const times = Number(process.env['FUZZ_TIMES'] ?? 1);
const requests = 1_700 * times;
/** With some four operations each. */
const sockets = 100 * times;
/** So many at once. */
const width = 12;

const opened = new AsyncDisposableStack();
let gateway: GatewayProcess;
let names: Readonly<Record<KnownName, string>>;
beforeAll(async () => {
  const vendor = opened.use(await startVendor());
  const directory = opened.use(await temporaryDataDirectory());
  const environment = {
    SLUICE_SEED_DOCS: 'false',
    OPENAI_BASE_URL: vendor.url,
    OPENAI_API_KEY: 'sk-test-0123456789abcdef',
    SLUICE_API_KEY: key,
  };
  gateway = opened.use(await startGatewayProcess({ dataDir: directory.path, environment }));
  names = await prepare(gateway);
});
afterAll(() => opened.disposeAsync());

it(`answers whatever is sent with a code of the contract, and stays up (seed ${seed})`, async () => {
  console.info(`fuzz: seed ${seed}, ${requests} requests, ${sockets} sockets`);
  const limit = pLimit(width);
  const seen = new Map<string, number>();
  const faults: string[] = [];
  const note = (name: string, found: readonly string[], sent: unknown) => {
    if (found.length > 0) faults.push(`${name}: ${found.join('; ')}\n${JSON.stringify(sent)}`.slice(0, 4_000));
  };
  await Promise.all([
    ...fc
      .sample(httpRequest(schema), { seed, numRuns: requests })
      .map((request, index) =>
        limit(async () => note(`request ${index}`, await faultsOfRequest(request, seen), request)),
      ),
    ...fc.sample(socketFrames(schema), { seed, numRuns: sockets }).map((frames, index) =>
      limit(async () => {
        const sent = frames.map((frame) => (typeof frame === 'string' ? filled(frame, names) : frame));
        note(`socket ${index}`, await faultsOnSocket(gateway.url.replace(/^http/, 'ws'), sent, seen), frames);
      }),
    ),
  ]);
  expect(faults).toEqual([]);
  expect(gateway.output).not.toMatch(/"level":"error"|^\s+at /m);
  // Otherwise it had been fended off at the door, and nothing behind it was tried.
  for (const outcome of ['data', 'BAD_INPUT', 'NOT_FOUND', 'CONFLICT', 'next', 'error'])
    expect(seen.get(outcome)).toBeGreaterThan(10);

  expect(await gateway.data('{ health { ok } }')).toEqual({ health: { ok: true } });
  const start = 'mutation { startChat(input: { message: "Are you well?" }) { run { finished { status } } } }';
  expect(await gateway.data(start)).toEqual({ startChat: { run: { finished: { status: 'SUCCEEDED' } } } });
  const { viewer } = await gateway.data<{ viewer: { usage: { total: { calls: number } } } }>(
    '{ viewer { usage { total { calls } } } }',
  );
  expect(viewer.usage.total.calls).toBeGreaterThan(20);
}, 200_000);

async function faultsOfRequest(request: FuzzRequest, seen: Map<string, number>): Promise<readonly string[]> {
  const body = typeof request.body === 'string' ? filled(request.body, names) : request.body;
  const { origin } = new URL(gateway.url);
  try {
    const answer = await send(origin, { ...request, target: filled(request.target, names), body });
    for (const outcome of outcomesOf(answer)) seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
    return faultsOf(answer, request.endless);
  } catch (error) {
    // What has odd headers may be hung up on.
    return request.endless ? [] : [String(error)];
  }
}
