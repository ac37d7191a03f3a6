import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { countInput } from '../../core/models/usage/token-estimate.ts';
import { configFile } from '../../test/helpers/config-file.ts';
import { temporaryDirectory } from '../../test/helpers/embedded-database.ts';
import { type GatewayProcess, startGatewayProcess } from '../../test/helpers/gateway-process.ts';
import { startPostgresServer } from '../../test/helpers/postgres-server.ts';
import { startRedis } from '../../test/helpers/redis-server.ts';
import { startVendor, type Vendor } from '../../test/helpers/vendor/vendor.ts';

/** What came of a burst; amounts in millionths of a dollar. */
export interface Round {
  readonly served: number;
  readonly refused: number;
  /** Requests to a gateway that was killed. */
  readonly died: number;
  /** Anything else: there must be none. */
  readonly failed: readonly string[];
  /** What the vendor said that it cost. */
  readonly reported: number;
  /** What stands in the budget's account afterwards. */
  readonly spent: number;
  readonly held: number;
}

export interface BudgetRounds {
  /** In millionths of a dollar; what one call may cost at most. */
  readonly cap: number;
  readonly worstCase: number;
  readonly burst: Round;
  /** Another day: one of two gateways is killed with calls under way. */
  readonly killed: Round;
  /** Its lease has expired, but calls of a gateway that only seems dead could be under way. */
  readonly meanwhile: Round;
  /** The same day, when no call of the dead one could be under way any more. */
  readonly afterwards: Round;
}

/** $1 a million tokens each way: n tokens cost n millionths of a dollar. */
const model = { name: 'gpt-4.1-mini', inputUsdPerMillion: 1, cachedInputUsdPerMillion: 1, outputUsdPerMillion: 1 };
const message = 'How many boats are in the harbour?';
const maxOutputTokens = 20;
const worstCases = 50;
const leaseMs = 2_000;
/** Under way at the gateway that is killed, before all others ask. */
const dyingCalls = 20;

/**
 * A burst of calls over two gateways (a process each, over PostgreSQL and Redis) against a budget of exactly 50 worst cases, by a
 * vendor that gives exactly as many tokens as it may. Then the same on another day, with one gateway killed in the middle.
 */
export async function budgetRounds(calls: number): Promise<BudgetRounds> {
  await using postgres = await startPostgresServer();
  await using redis = await startRedis();
  await using directory = await temporaryDirectory();
  await using vendor = await startVendor({ primingTokens: 3 });
  // Words of one token each, and more of them than may be written.
  const reply = 'a '.repeat(2 * maxOutputTokens).trim();
  const withoutGate = vendor.when(() => true, { reply });
  const environment = {
    ...{ OPENAI_BASE_URL: vendor.url, OPENAI_API_KEY: 'sk-bench-0123456789', SLUICE_SEED_DOCS: 'false' },
  };
  const start = (name: string, config: Record<string, string>) =>
    startGatewayProcess({
      dataDir: `${directory.path}/${name}`,
      environment: { ...environment, ...config, DATABASE_URL: postgres.url, REDIS_URL: redis.url },
    });
  const worstCase = (await inputTokens(vendor, () => start('probe', {}))) + maxOutputTokens;
  const cap = worstCases * worstCase;
  await using config = await configFile({
    openai: { models: [model] },
    runs: { leaseMs },
    limits: { maxRuns: 2 * calls },
    tenants: { default: { limits: { budgetUsdPerDay: cap / 1e6 } } },
  });
  await using one = await start('one', config.environment);
  await using two = await start('two', config.environment);
  await using client = await connect(postgres.url);
  const round = async (asked: Promise<readonly string[]>): Promise<Round> => {
    const before = vendor.calls('/chat/completions').length;
    const outcomes = await asked;
    await until(async () => vendor.inFlight === 0);
    const reported = vendor
      .calls('/chat/completions')
      .slice(before)
      .flatMap((call) => call.reported ?? []);
    const known = ['SUCCEEDED', 'BUDGET_EXCEEDED', 'DIED'];
    const count = (outcome: string) => outcomes.filter((other) => other === outcome).length;
    return {
      served: count('SUCCEEDED'),
      refused: count('BUDGET_EXCEEDED'),
      died: count('DIED'),
      failed: outcomes.filter((outcome) => !known.includes(outcome)),
      reported: reported.reduce((sum, { inputTokens: input, outputTokens }) => sum + input + outputTokens, 0),
      ...(await account(client.client)),
    };
  };

  const burst = await round(ask([one, two], calls));

  await client.client.query('update hold_accounts set day = day - 1');
  const gate = Promise.withResolvers<void>();
  withoutGate();
  const withGate = vendor.when(() => true, { reply, hold: gate.promise });
  const killed = await round(
    (async () => {
      const early = ask([one], dyingCalls);
      await until(async () => vendor.inFlight === dyingCalls);
      const asked = ask([one, two], calls - dyingCalls);
      await until(async () => vendor.inFlight === worstCases);
      await one.kill();
      gate.resolve();
      return [...(await early), ...(await asked)];
    })(),
  );
  withGate();
  vendor.when(() => true, { reply });
  await sleep(leaseMs + 1_000);
  const meanwhile = await round(ask([two], calls));

  await client.client.query(
    `update instances set lease_until = lease_until - interval '1 day' where lease_until < clock_timestamp()`,
  );
  await sleep(1_000);
  const afterwards = await round(ask([two], calls));
  return { cap, worstCase, burst, killed, meanwhile, afterwards };
}

/** How each call went: its run's status, or the code of its error. */
function ask(gateways: readonly GatewayProcess[], calls: number): Promise<readonly string[]> {
  const query = `mutation ($input: StartChatInput!) {
    startChat(input: $input) { run { finished { status error { code message } } } }
  }`;
  const input = { message, maxOutputTokens, retrieval: null, store: false };
  return Promise.all(
    Array.from({ length: calls }, async (_, place) => {
      try {
        const { startChat } = await (gateways[place % gateways.length] as GatewayProcess).data<Finished>(query, {
          input,
        });
        const { status, error } = startChat.run.finished;
        return error?.code ?? status;
      } catch (error) {
        return error instanceof TypeError ? 'DIED' : String(error);
      }
    }),
  );
}

interface Finished {
  readonly startChat: {
    readonly run: { readonly finished: { readonly status: string; readonly error: { readonly code: string } | null } };
  };
}

/** As the gateway counts them, of a question that it has sent. */
async function inputTokens(vendor: Vendor, start: () => Promise<GatewayProcess>): Promise<number> {
  await using gateway = await start();
  await ask([gateway], 1);
  const [call] = vendor.calls('/chat/completions');
  if (call === undefined) throw new Error('the probing question did not come to the vendor');
  const { messages } = call.body as { readonly messages: readonly { readonly content: string }[] };
  return countInput(messages.map(({ content }) => ({ role: 'USER', text: content })));
}

async function connect(url: string): Promise<AsyncDisposable & { readonly client: pg.Client }> {
  const client = new pg.Client(url);
  await client.connect();
  return { client, [Symbol.asyncDispose]: () => client.end() };
}

/** Of today, once nothing is under way any more. */
async function account(client: pg.Client): Promise<{ spent: number; held: number }> {
  await sleep(500);
  const { rows } = await client.query<{ spent: string; held: string }>(
    `select used / 1000 as spent, held / 1000 as held from hold_accounts
      where resource = 'NANO_DOLLARS' and day = (clock_timestamp() at time zone 'UTC')::date`,
  );
  return { spent: Number(rows[0]?.spent ?? 0), held: Number(rows[0]?.held ?? 0) };
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error('waited 60 s in vain');
    await sleep(20);
  }
}
