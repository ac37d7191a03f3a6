import type { ApiKeyRecord, ApiKeyStore, StoredApiKey } from '../contracts/api-key-store.ts';
import type { Clock } from '../contracts/clock.ts';
import type { GatewayError } from '../contracts/gateway-error.ts';
import type { Logger } from '../contracts/logger.ts';
import { KeyLookups } from './key-lookups.ts';
import { isSecretOf, prefixOf } from './key-secret.ts';
import { endOf, keyEnded } from './key-state.ts';
import { KeyUses } from './key-uses.ts';

export interface KeyRingOptions {
  readonly store: Pick<ApiKeyStore, 'byPrefixes' | 'used'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How often the keys of open connections are looked at. */
  readonly lookEveryMs?: number;
  /** How long a key that was looked up is taken to be as it was. */
  readonly freshMs?: number;
  readonly writeUsesEveryMs?: number;
}

interface Held {
  readonly key: ApiKeyRecord;
  readonly onEnds: Set<(reason: GatewayError) => void>;
}

/**
 * Knows callers by their keys, and tells those who hold a connection open when its key has ended: on every instance, within the
 * time of one look. While the store cannot be asked, new callers are refused with its error, and open connections stay.
 */
export class KeyRing {
  readonly #options: KeyRingOptions;
  readonly #lookups: KeyLookups;
  readonly #uses: KeyUses;
  /** By prefix. */
  readonly #held = new Map<string, Held>();
  #timer: NodeJS.Timeout | undefined;
  #looking = false;
  #isFailing = false;

  constructor(options: KeyRingOptions) {
    const { store, clock, freshMs, writeUsesEveryMs = 60_000 } = options;
    this.#options = options;
    this.#lookups = new KeyLookups({ store, clock, ...(freshMs === undefined ? {} : { freshMs }) });
    this.#uses = new KeyUses(options, writeUsesEveryMs);
  }

  /**
   * The key that the token is the secret of. Null, after the same time and for whatever reason, when it opens nothing: unknown,
   * malformed, revoked, expired.
   */
  async authenticate(token: string): Promise<ApiKeyRecord | null> {
    const key = await this.#lookups.find(prefixOf(token));
    if (!isSecretOf(token, key?.hash ?? null) || key === null) return null;
    if (endOf(key, this.#options.clock.now()) !== null) return null;
    this.#uses.add(key);
    return key;
  }

  /** Until it is disposed, `onEnd` is called once when the key is revoked or expires. */
  hold(key: ApiKeyRecord, onEnd: (reason: GatewayError) => void): Disposable {
    const held = this.#held.get(key.prefix) ?? { key, onEnds: new Set() };
    this.#held.set(key.prefix, held);
    // A function of its own: the same one may be given twice.
    const own = (reason: GatewayError): void => onEnd(reason);
    held.onEnds.add(own);
    this.#timer ??= setInterval(() => void this.#look(), this.#options.lookEveryMs ?? 1_000).unref();
    return {
      [Symbol.dispose]: () => {
        held.onEnds.delete(own);
        if (held.onEnds.size === 0 && this.#held.get(key.prefix) === held) this.#held.delete(key.prefix);
        if (this.#held.size === 0) this.#rest();
      },
    };
  }

  /** Somebody changed the key of this prefix: it is looked at anew, now. */
  changed(prefix: string): void {
    this.#lookups.forget(prefix);
    if (this.#held.has(prefix)) void this.#look();
  }

  async close(): Promise<void> {
    this.#rest();
    await this.#uses.close();
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #look(): Promise<void> {
    const now = this.#options.clock.now();
    for (const { key } of [...this.#held.values()]) this.#endIfOver(key, now);
    if (this.#looking) return;
    this.#looking = true;
    try {
      const prefixes = [...this.#held.keys()];
      const found = await this.#lookups.refresh(prefixes);
      this.#isFailing = false;
      prefixes.forEach((prefix, place) => {
        const held = this.#held.get(prefix);
        if (held !== undefined) this.#endIfOver(found[place] ?? gone(held.key, now), now);
      });
    } catch (error) {
      if (!this.#isFailing) this.#options.logger.warn({ error }, 'the keys of open connections could not be looked at');
      this.#isFailing = true;
    } finally {
      this.#looking = false;
    }
  }

  #endIfOver(key: ApiKeyRecord | StoredApiKey, now: number): void {
    const end = endOf(key, now);
    if (end === null) return;
    const held = this.#held.get(key.prefix);
    if (held === undefined) return;
    this.#held.delete(key.prefix);
    if (this.#held.size === 0) this.#rest();
    for (const onEnd of [...held.onEnds]) onEnd(keyEnded(key, end));
  }
}

/** A row that somebody deleted by hand is as good as revoked. */
function gone(key: ApiKeyRecord, now: number): ApiKeyRecord {
  return { ...key, revokedAt: new Date(now) };
}
