import { GatewayError } from '../../../core/contracts/gateway-error.ts';
import type { CommandContext } from '../command-context.ts';
import { CommandError } from '../command-error.ts';
import { interruptible } from '../interruptible.ts';
import type { KeyManager, KeyWish, ShownKey } from '../keys/key-manager.ts';
import { openKeyManager } from '../keys/open-key-manager.ts';
import { printKeys } from '../keys/print-keys.ts';
import { printableLine } from '../printable.ts';

interface ConnectionOptions {
  readonly url?: string;
  readonly apiKey?: string;
}

export interface KeyCreateOptions extends ConnectionOptions {
  readonly name: string;
  readonly scopes: KeyWish['scopes'];
  readonly tenant?: string;
  readonly expires?: Date;
  readonly requestsPerMinute?: number;
  readonly tokensPerMinute?: number;
  readonly usdPerDay?: number;
  readonly runsAtOnce?: number;
  readonly allowUnknownPrice?: boolean;
}

/** `sluice key create`: the secret alone on stdout, so that a script can take it; the rest on stderr. */
export async function createKey(options: KeyCreateOptions, context: CommandContext): Promise<void> {
  const { key, secret } = await withKeyManager(options, context, (manager) =>
    manager.create({
      name: options.name,
      tenant: options.tenant ?? null,
      scopes: options.scopes,
      limits: {
        requestsPerMinute: options.requestsPerMinute ?? null,
        tokensPerMinute: options.tokensPerMinute ?? null,
        budgetUsdPerDay: options.usdPerDay ?? null,
        maxConcurrentRuns: options.runsAtOnce ?? null,
      },
      allowUnknownPrice: options.allowUnknownPrice ?? false,
      expiresAt: options.expires ?? null,
    }),
  );
  const until = key.expiresAt === null ? '' : `, until ${key.expiresAt}`;
  context.stderr.write(
    printableLine(`key ${key.prefix} "${key.name}" of tenant ${key.tenant}: ${key.scopes.join(', ')}${until}`),
  );
  context.stderr.write('\nIt is shown once, and nobody can read it again:\n');
  context.stdout.write(`${secret}\n`);
}

/** `sluice key list`: on stdout, for people or as one JSON object a line. */
export async function listKeys(
  options: ConnectionOptions & { readonly tenant?: string; readonly json?: boolean },
  context: CommandContext,
): Promise<void> {
  const keys = await withKeyManager(options, context, async (manager) => {
    const found: ShownKey[] = [];
    for await (const key of manager.list(options.tenant ?? null)) found.push(key);
    return found;
  });
  if (options.json) for (const key of keys) context.stdout.write(`${JSON.stringify(key)}\n`);
  else if (keys.length === 0) context.stderr.write('there are no keys of this tenant\n');
  else printKeys(keys, context.stdout);
}

/** `sluice key revoke`: harmless when it was done before. */
export async function revokeKey(
  prefix: string,
  options: ConnectionOptions & { readonly tenant?: string },
  context: CommandContext,
): Promise<void> {
  const isNew = await withKeyManager(options, context, (manager) => manager.revoke(prefix, options.tenant ?? null));
  context.stdout.write(isNew ? `revoked ${prefix}\n` : `${prefix} was revoked already\n`);
}

function withKeyManager<T>(
  options: ConnectionOptions,
  { env }: CommandContext,
  work: (manager: KeyManager) => Promise<T>,
): Promise<T> {
  return interruptible(async (signal) => {
    await using manager = await openKeyManager(options, env, signal);
    try {
      return await work(manager);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      throw new CommandError(`${error.code}: ${error.message}`, { code: error.code, cause: error });
    }
  });
}
