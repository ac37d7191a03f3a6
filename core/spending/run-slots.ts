import { GatewayError } from '../contracts/gateway-error.ts';
import type { RunSlot, RunSlots } from '../contracts/run-slots.ts';
import type { Hold, Holds } from './holds.ts';
import type { Payer, Payers } from './payers.ts';

export interface RunSlotParts {
  readonly payers: Pick<Payers, 'of'>;
  readonly holds: Pick<Holds, 'take' | 'flush'>;
}

const noSignal = new AbortController().signal;
const retryAfterMs = 1_000;
/** A run does not wait any longer than this for the database to hear that its place is free. */
const longestFreeMs = 1_000;

/** Counts runs like dollars: one is held for as long as the run lasts, and nothing is ever used up. */
export function createRunSlots({ payers, holds }: RunSlotParts): RunSlots {
  function take(tenant: string, keyId: string | null, isSure: boolean): null | Promise<RunSlot | null> {
    const found = payers.of(tenant, keyId);
    if (found instanceof Promise) return found.then((known) => hold(tenant, limitedOf(known), isSure));
    const limited = limitedOf(found);
    return limited.length === 0 ? null : hold(tenant, limited, isSure);
  }

  async function hold(tenant: string, limited: readonly Payer[], isSure: boolean): Promise<RunSlot | null> {
    if (limited.length === 0) return null;
    const accounts = limited.map(({ name, limits }) => ({
      name,
      cap: isSure ? Number.MAX_SAFE_INTEGER : (limits.maxConcurrentRuns ?? 0),
    }));
    const outcome = await holds.take({ tenant, resource: 'RUNS', accounts, amount: 1 }, noSignal);
    if (outcome.granted) return slotOf(outcome);
    throw full(
      limited.find(({ name, limits }) =>
        outcome.accounts.some((account) => account.name === name && account.held >= (limits.maxConcurrentRuns ?? 0)),
      ) ?? limited[0],
    );
  }

  function slotOf(hold: Hold): RunSlot {
    return {
      async free() {
        hold.settle(0);
        await Promise.race([holds.flush(), new Promise((resolve) => setTimeout(resolve, longestFreeMs).unref())]);
      },
    };
  }

  return {
    take: ({ tenant, keyId }) => take(tenant, keyId, false),
    takeOver: ({ tenant, keyId }) => take(tenant, keyId, true),
  };
}

function limitedOf(payers: readonly Payer[]): readonly Payer[] {
  return payers.filter(({ limits }) => limits.maxConcurrentRuns !== null);
}

function full(payer: Payer | undefined): GatewayError {
  const limit = payer?.limits.maxConcurrentRuns ?? 0;
  return new GatewayError(
    'RATE_LIMITED',
    `${payer?.label ?? 'The key'} may have ${limit} runs at once (maxConcurrentRuns), and all are under way; try again when one has ended.`,
    { retryable: true, details: { retryAfterMs, limit } },
  );
}
