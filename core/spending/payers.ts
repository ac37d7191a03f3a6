import { LRUCache } from 'lru-cache';
import { GatewayError } from '../contracts/gateway-error.ts';

/** What a key, or a whole tenant, may use; null: not limited. */
export interface PayerLimits {
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
  readonly budgetUsdPerDay: number | null;
  readonly maxConcurrentRuns: number | null;
}

/** Somebody whose limits a call counts against. */
export interface Payer {
  /** Of its accounts: a key's id, the empty name for the tenant. */
  readonly name: string;
  /** In messages: `key "ci"`. */
  readonly label: string;
  readonly limits: PayerLimits;
  /** Whether a budget may be spent on models whose price nobody knows: it is not counted then. */
  readonly allowUnknownPrice: boolean;
}

export interface PayersOptions {
  /** Of the configuration, by tenant. */
  readonly tenants: ReadonlyMap<string, Omit<Payer, 'name' | 'label'>>;
  readonly keys: {
    byIds(
      tenant: string,
      ids: readonly string[],
    ): Promise<readonly { readonly name: string; readonly limits: PayerLimits; readonly allowUnknownPrice: boolean }[]>;
  };
}

const maxCached = 10_000;

/** Who is limited, of those who pay. What a key may use never changes after it was made, so it is asked for once. */
export class Payers {
  readonly #options: PayersOptions;
  readonly #keys = new LRUCache<string, readonly Payer[]>({ max: maxCached });

  constructor(options: PayersOptions) {
    this.#options = options;
  }

  /** Empty, and at once, for those without any limit. The tenant comes last: its limits are seldom the tighter ones. */
  of(tenant: string, keyId: string | null): readonly Payer[] | Promise<readonly Payer[]> {
    const configured = this.#options.tenants.get(tenant);
    const own = configured === undefined ? [] : limited({ name: '', label: `tenant "${tenant}"`, ...configured });
    if (keyId === null) return own;
    const known = this.#keys.get(keyOf(tenant, keyId));
    if (known !== undefined) return own.length === 0 ? known : [...known, ...own];
    return this.#ask(tenant, keyId).then((key) => [...key, ...own]);
  }

  async #ask(tenant: string, keyId: string): Promise<readonly Payer[]> {
    const [key] = await this.#options.keys.byIds(tenant, [keyId]);
    if (key === undefined) throw new GatewayError('FORBIDDEN', 'The API key that would pay for this is gone.');
    const { name, limits, allowUnknownPrice } = key;
    const payers = limited({ name: keyId, label: `key "${name}"`, limits, allowUnknownPrice });
    this.#keys.set(keyOf(tenant, keyId), payers);
    return payers;
  }
}

const keyOf = (tenant: string, keyId: string): string => `${keyId} ${tenant}`;

function limited(payer: Payer): readonly Payer[] {
  return Object.values(payer.limits).some((limit) => limit !== null) ? [payer] : [];
}
