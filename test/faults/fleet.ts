import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { configFile } from '../helpers/config-file.ts';
import { temporaryDirectory } from '../helpers/embedded-database.ts';
import { type GatewayProcess, startGatewayProcess } from '../helpers/gateway-process.ts';
import { type PostgresServer, startPostgresServer } from '../helpers/postgres-server.ts';
import { type Proxy as Link, startProxy } from '../helpers/proxy.ts';
import { type RedisServer, startRedis } from '../helpers/redis-server.ts';
import { startVendor, type Vendor } from '../helpers/vendor/vendor.ts';

/** One gateway process after the other, at the same place in the fleet. */
export interface Member {
  readonly name: string;
  readonly redisLink: Link;
  readonly databaseLink: Link;
  readonly process: () => GatewayProcess | null;
  start(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGTERM; the exit code. */
  stop(): Promise<number | null>;
  /** SIGSTOP, and SIGCONT after so long. */
  freeze(ms: number): Promise<void>;
}

export interface Fleet extends AsyncDisposable {
  readonly members: readonly Member[];
  readonly postgres: PostgresServer;
  readonly redis: RedisServer;
  readonly vendor: Vendor;
  readonly vendorLink: Link;
  /** WebSocket addresses of those that run now. */
  urls(): string[];
}

export interface FleetOptions {
  readonly members?: number;
  readonly leaseMs?: number;
  readonly drainMs?: number;
  readonly tokensPerSecond?: number;
  readonly maxAttempts?: number;
  /** Of each member's clock, in order. */
  readonly skewMs?: readonly number[];
  /** More of every member's configuration file. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** More of every member's environment. */
  readonly environment?: Readonly<Record<string, string>>;
}

const skewedClock = fileURLToPath(new URL('./skewed-clock.ts', import.meta.url));

/** Gateways, PostgreSQL, Redis, and the vendor double, with a proxy in each connection between them. */
export async function startFleet(options: FleetOptions = {}): Promise<Fleet> {
  const {
    members: size = 2,
    leaseMs = 1_000,
    drainMs = 1_000,
    tokensPerSecond = 60,
    skewMs = [],
    maxAttempts = 10,
    environment: more = {},
    config = {},
  } = options;
  await using opened = new AsyncDisposableStack();
  const postgres = opened.use(await startPostgresServer());
  const redis = opened.use(await startRedis());
  const vendor = opened.use(
    await startVendor({ defaults: { tokensPerSecond }, countTokens: (text) => Math.ceil(text.length / 4) }),
  );
  const vendorLink = opened.use(await startProxy({ port: vendor.port }));
  const { environment } = opened.use(
    await configFile({
      ...{ runs: { leaseMs, maxAttempts }, timeouts: { drainMs, idleMs: 3_000, firstTokenMs: 3_000 } },
      ...config,
    }),
  );
  const dataDir = opened.use(await temporaryDirectory()).path;
  const members = await Promise.all(
    Array.from({ length: size }, async (_, index) => {
      const redisLink = opened.use(await startProxy({ port: redis.port }));
      const databaseLink = opened.use(await startProxy({ port: postgres.port }));
      const database = new URL(postgres.url);
      database.port = String(databaseLink.port);
      const skew = skewMs[index] ?? 0;
      const member = new FleetMember(`${index}`, redisLink, databaseLink, () =>
        startGatewayProcess({
          dataDir,
          environment: {
            ...environment,
            ...more,
            SLUICE_SEED_DOCS: 'false',
            DATABASE_URL: database.href,
            REDIS_URL: `redis://127.0.0.1:${redisLink.port}`,
            OPENAI_BASE_URL: `http://127.0.0.1:${vendorLink.port}/v1`,
            OPENAI_API_KEY: 'sk-test-0123456789abcdef',
            ...(skew === 0 ? {} : { NODE_OPTIONS: `--import=${skewedClock}`, SLUICE_TEST_SKEW_MS: `${skew}` }),
          },
        }),
      );
      opened.defer(() => member.kill());
      return member;
    }),
  );
  await Promise.all(members.map((member) => member.start()));
  const resources = opened.move();
  return {
    ...{ members, postgres, redis, vendor, vendorLink },
    urls: () => members.flatMap((member) => member.process()?.url.replace(/^http/, 'ws') ?? []),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

class FleetMember implements Member {
  readonly name: string;
  readonly redisLink: Link;
  readonly databaseLink: Link;
  readonly #start: () => Promise<GatewayProcess>;
  #process: GatewayProcess | null = null;

  constructor(name: string, redisLink: Link, databaseLink: Link, start: () => Promise<GatewayProcess>) {
    this.name = name;
    this.redisLink = redisLink;
    this.databaseLink = databaseLink;
    this.#start = start;
  }

  process(): GatewayProcess | null {
    return this.#process;
  }

  async start(): Promise<void> {
    this.#process = await this.#start();
  }

  async kill(): Promise<void> {
    const running = this.#process;
    this.#process = null;
    await running?.kill();
  }

  async stop(): Promise<number | null> {
    const running = this.#process;
    const exitCode = (await running?.stop()) ?? null;
    this.#process = null;
    return exitCode;
  }

  async freeze(ms: number): Promise<void> {
    const pid = this.#process?.pid;
    if (pid === undefined) return;
    process.kill(pid, 'SIGSTOP');
    await sleep(ms);
    process.kill(pid, 'SIGCONT');
  }
}
