import { KeyRing } from '../../core/access/key-ring.ts';
import { OpenMode } from '../../core/access/open-mode.ts';
import type { ApiKeyStore } from '../../core/contracts/api-key-store.ts';
import type { Logger } from '../../core/contracts/logger.ts';
import type { RunSignals } from '../../core/contracts/run-signals.ts';
import { type Access, createAccess } from '../authenticate.ts';
import { ConfigError } from '../config/config.ts';
import type { Config } from '../config/config-schema.ts';
import { isLoopback } from '../http/loopback.ts';
import { realClock } from '../real-clock.ts';

export interface OpenedAccess {
  readonly access: Access;
  /** A key was created or revoked here. */
  readonly keyChanged: (prefix: string) => void;
  close(): Promise<void>;
}

/**
 * Open on loopback while there is neither a static key nor any in the database. On an address that other machines reach it
 * refuses then, with a ConfigError: a gateway that anybody may use, and one that nobody may use, are both mistakes.
 */
export async function openAccess(
  { host, apiKey }: Pick<Config, 'host' | 'apiKey'>,
  {
    apiKeys,
    signals,
    logger,
  }: { readonly apiKeys: ApiKeyStore; readonly signals: RunSignals; readonly logger: Logger },
): Promise<OpenedAccess> {
  const openMode = new OpenMode({ store: apiKeys, logger });
  if (apiKey === undefined) {
    if (isLoopback(host)) await openMode.open();
    else if (!(await apiKeys.any())) throw new ConfigError([needsKey(host)]);
  }
  const keyRing = new KeyRing({ store: apiKeys, clock: realClock, logger });
  const forget = (prefix: string): void => {
    openMode.close();
    keyRing.changed(prefix);
  };
  const listening = signals.listen((signal) => {
    if (signal.type === 'key-changed') forget(signal.prefix);
  });
  return {
    access: createAccess({ apiKey, keyRing, openMode }),
    keyChanged: (prefix) => {
      forget(prefix);
      signals.send({ type: 'key-changed', prefix });
    },
    async close() {
      listening[Symbol.dispose]();
      openMode.rest();
      await keyRing.close();
    },
  };
}

/** Until the database says which keys there are: the static one opens what there is to see of a gateway that is not ready. */
export function accessAtStart({ apiKey }: Pick<Config, 'apiKey'>): Access {
  const hold = (): Disposable => ({ [Symbol.dispose]: () => {} });
  return createAccess({
    apiKey,
    keyRing: { authenticate: async () => null, hold },
    openMode: { isOpen: false, hold },
  });
}

function needsKey(host: string): string {
  return `HOST: other machines reach this address, which needs authentication: set SLUICE_API_KEY, create a key with \`sluice key create\`, or bind to 127.0.0.1, got ${JSON.stringify(host)}`;
}
