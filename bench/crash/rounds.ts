import { setTimeout as sleep } from 'node:timers/promises';
import { type GatewayProcess, startGatewayProcess } from '../../test/helpers/gateway-process.ts';
import { startVendor, type Vendor } from '../../test/helpers/vendor/vendor.ts';
import { randomNumbers } from '../batching/corpus.ts';
import { chat, collectionOf, keepBusy, type Provider } from './activity.ts';
import { faultsAfterRestart } from './checks.ts';
import { Ledger } from './ledger.ts';

export interface CrashOptions {
  readonly dataDir: string;
  readonly rounds: number;
  readonly seed: number;
  /** Every so many rounds the models are a vendor's, in the others the local ones. */
  readonly vendorEvery?: number;
  readonly report?: (round: Round) => void;
}

export interface Round {
  readonly number: number;
  readonly provider: Provider;
  readonly readyMs: number;
  readonly killedAfterMs: number;
  /** Runs that were under way when the gateway was killed. */
  readonly interrupted: number;
  readonly finished: number;
  /** What did not hold after the restart. */
  readonly faults: readonly string[];
}

/** Kills the gateway at a random moment of ingest and chat, starts it again on the same directory, and checks; so many times. */
export async function crashRounds({
  dataDir,
  rounds,
  seed,
  vendorEvery = 3,
  report,
}: CrashOptions): Promise<readonly Round[]> {
  const providerOf = (round: number): Provider => (round % vendorEvery === vendorEvery - 1 ? 'vendor' : 'local');
  const random = randomNumbers(seed);
  await using vendor = await startVendor({ defaults: { tokensPerSecond: 20 } });
  vendor.when(({ body }) => JSON.stringify(body).includes('Be quick'), { tokensPerSecond: 0 });
  const ledger = new Ledger();
  const done: Round[] = [];
  let gateway = await start(dataDir, vendor, providerOf(0));
  try {
    for (let number = 1; number <= rounds; number += 1) {
      const provider = providerOf(number - 1);
      await ensureCollection(gateway, provider);
      const killedAfterMs = 50 + Math.floor(random() * 1_450);
      const busy = keepBusy(gateway, ledger, provider, random);
      // So that there is something finished to be lost, however slow the machine is.
      if (number === 1) await oneFinished(ledger);
      await sleep(killedAfterMs);
      await gateway.kill();
      await busy;
      const entries = [...ledger.runs.values()];
      gateway = await start(dataDir, vendor, providerOf(number));
      const faults = [
        ...(await faultsAfterRestart(gateway, ledger, providerOf(number))),
        ...(await nextTurns(gateway, ledger)),
      ];
      const round: Round = {
        number,
        provider,
        readyMs: gateway.readyMs,
        killedAfterMs,
        interrupted: entries.filter(({ finished }) => !finished).length,
        finished: entries.filter(({ finished }) => finished).length,
        faults,
      };
      ledger.forgetRuns();
      done.push(round);
      report?.(round);
    }
  } finally {
    await gateway[Symbol.asyncDispose]();
  }
  return done;
}

async function oneFinished({ runs }: Ledger): Promise<void> {
  const until = performance.now() + 60_000;
  while (![...runs.values()].some(({ finished }) => finished)) {
    if (performance.now() > until) throw new Error('no run finished within a minute');
    await sleep(20);
  }
}

function start(dataDir: string, vendor: Vendor, provider: Provider): Promise<GatewayProcess> {
  const withVendor = { OPENAI_BASE_URL: vendor.url, OPENAI_API_KEY: 'sk-test-0123456789abcdef' };
  return startGatewayProcess({
    dataDir,
    environment: { SLUICE_SEED_DOCS: 'false', ...(provider === 'vendor' ? withVendor : {}) },
  });
}

async function ensureCollection(gateway: GatewayProcess, provider: Provider): Promise<void> {
  const name = collectionOf(provider);
  const find = `query CrashCollection($name: String!) { collection(name: $name) { id } }`;
  const { collection } = await gateway.data<{ collection: object | null }>(find, { name });
  if (collection !== null) return;
  const embeddingModel = provider === 'local' ? 'all-MiniLM-L6-v2' : 'text-embedding-3-small';
  const create = `mutation CrashCreate($input: CreateCollectionInput!) { createCollection(input: $input) { collection { id } } }`;
  await gateway.data(create, { input: { name, embeddingModel } });
}

/** Every conversation can be gone on with, also one whose last turn was cut off; and a new one can be begun. */
async function nextTurns(gateway: GatewayProcess, ledger: Ledger): Promise<string[]> {
  const faults: string[] = [];
  for (const conversation of [null, ...[...ledger.conversations].slice(0, 2)]) {
    try {
      const reply = await chat(gateway, ledger, conversation, 'Be quick: who lights the lamp?');
      if (reply === '') faults.push('an empty reply');
    } catch (error) {
      faults.push(
        `conversation ${conversation ?? 'new'}: ${error instanceof Error ? error.message : JSON.stringify(error)}`,
      );
    }
  }
  return faults;
}
