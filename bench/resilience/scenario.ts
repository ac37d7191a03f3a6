import { openaiProvider } from '../../adapters/openai/openai-provider.ts';
import { GatewayError } from '../../core/contracts/gateway-error.ts';
import type { CallSite, PoolObserver } from '../../core/contracts/pool-observer.ts';
import { createModels } from '../../core/models/create-models.ts';
import type { ModelsOptions } from '../../core/models/models-options.ts';
import { UsageMeter } from '../../core/models/usage/usage-meter.ts';
import type { Behaviour } from '../../test/helpers/vendor/behaviour.ts';
import { startVendor } from '../../test/helpers/vendor/vendor.ts';

export interface Scenario {
  readonly calls: number;
  /** Calls at the same time. */
  readonly atOnce: number;
  /** What the vendors of the targets A and B do, call by call; after that they answer well. */
  readonly a: readonly Behaviour[];
  readonly b: readonly Behaviour[];
  readonly options?: Partial<ModelsOptions>;
}

export interface Outcome {
  readonly answered: number;
  /** Error code → calls that ended with it. */
  readonly failed: Readonly<Record<string, number>>;
  readonly vendorCalls: { readonly a: number; readonly b: number };
  /** Calls that were sent to a target before the time that its last 429 had named, and the shortest pause after one, in ms. */
  readonly tooEarly: number;
  readonly shortestPauseMs: number | null;
  /** State of A's circuit, in order, with the milliseconds since the beginning. */
  readonly circuit: readonly { readonly state: string; readonly atMs: number }[];
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const retryAfterMs = 1_000;
/** Ends the silent calls. Far above what a busy machine needs for one that is not. */
const firstTokenMs = 3_000;

/** Calls of a route with the targets A and B, over real sockets to two vendors that fail as they are told. */
export async function runScenario({ calls, atOnce, a, b, options = {} }: Scenario): Promise<Outcome> {
  await using vendorA = await startVendor({ keepCalls: 100_000 });
  await using vendorB = await startVendor({ keepCalls: 100_000 });
  vendorA.next(...a);
  vendorB.next(...b);
  const watch = new Watch();
  const models = createModels({
    providers: [
      {
        provider: openaiProvider({ name: 'a', baseUrl: vendorA.url, apiKey: null }),
        chatModel: 'm',
        embeddingModel: 'e',
      },
      {
        provider: openaiProvider({ name: 'b', baseUrl: vendorB.url, apiKey: null }),
        chatModel: 'm',
        embeddingModel: 'e',
      },
    ],
    routes: [
      {
        name: 'both',
        policy: 'fallback',
        targets: [
          { provider: 'a', model: 'm' },
          { provider: 'b', model: 'm' },
        ],
      },
    ],
    timeouts: { firstTokenMs },
    backoff: { backoffMs: 100 },
    ...options,
    observer: watch,
  });
  const failed: Record<string, number> = {};
  const latencies: number[] = [];
  let begun = 0;
  const worker = async (): Promise<void> => {
    while (begun < calls) {
      begun += 1;
      const begunAt = performance.now();
      try {
        await answer(models, begun);
        latencies.push(performance.now() - begunAt);
      } catch (error) {
        const code = error instanceof GatewayError ? error.code : String(error);
        failed[code] = (failed[code] ?? 0) + 1;
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  await models.close();
  latencies.sort((one, other) => one - other);
  return {
    answered: latencies.length,
    failed,
    vendorCalls: { a: vendorA.calls().length, b: vendorB.calls().length },
    tooEarly: watch.pauses.filter((ms) => ms < retryAfterMs).length,
    shortestPauseMs: watch.pauses.length === 0 ? null : Math.min(...watch.pauses),
    circuit: watch.circuitOfA,
    p50Ms: latencies[Math.floor(latencies.length * 0.5)] ?? Number.NaN,
    p99Ms: latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN,
  };
}

async function answer(models: ReturnType<typeof createModels>, number: number): Promise<void> {
  const request = { model: 'both', messages: [{ role: 'USER' as const, text: `Question ${number}` }], sources: null };
  const call = { tenant: 'bench', meter: new UsageMeter(), signal: new AbortController().signal, timeoutMs: 20_000 };
  let isWhole = false;
  for await (const chunk of models.chat(request, call)) if (chunk.type === 'finish') isWhole = true;
  if (!isWhole) throw new Error('a stream without a finish was taken for whole');
}

/** What the pool did and when, as seen at its own edge: a call that was under way when a 429 came is not one after it. */
class Watch implements PoolObserver {
  /** From each 429 to the next call of its target. */
  readonly pauses: number[] = [];
  readonly circuitOfA: { state: string; atMs: number }[] = [];
  readonly #begunAt = performance.now();
  readonly #limitedAt = new Map<string, number>();

  queued(site: CallSite): void {
    const limitedAt = this.#limitedAt.get(site.provider);
    this.#limitedAt.delete(site.provider);
    if (limitedAt !== undefined) this.pauses.push(performance.now() - limitedAt);
  }

  ended(site: CallSite, { code }: Parameters<PoolObserver['ended']>[1]): void {
    if (code === 'RATE_LIMITED') this.#limitedAt.set(site.provider, performance.now());
  }

  circuit({ provider }: Pick<CallSite, 'provider'>, state: string): void {
    if (provider === 'a') this.circuitOfA.push({ state, atMs: Math.round(performance.now() - this.#begunAt) });
  }

  retrying(): void {}
  fellBack(): void {}
  cache(): void {}
  spent(): void {}
}
