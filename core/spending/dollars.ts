import { GatewayError } from '../contracts/gateway-error.ts';
import type { PlannedCall } from '../contracts/spending.ts';
import type { Holds, Refused } from './holds.ts';
import { costOf, nanoDollars, shownUsd } from './nano-dollars.ts';
import type { Payer } from './payers.ts';

/** The output of a request that says nothing, by a model whose own bound nobody knows. It is sent, so that it is one. */
const usualMaxOutputTokens = 4_096;

export interface DollarHold {
  readonly maxOutputTokens: number | null;
  settle(nano: number): void;
}

/**
 * Sets what a call may cost at most aside against the daily budgets of those who pay; null: none of them has one, or the call is free.
 * BAD_INPUT for a model without a known price, BUDGET_EXCEEDED for what a budget does not bear.
 */
export async function holdDollars(
  holds: Pick<Holds, 'take'>,
  payers: readonly Payer[],
  call: PlannedCall,
  signal: AbortSignal,
): Promise<DollarHold | null> {
  const budgets = payers.flatMap(({ limits: { budgetUsdPerDay }, ...payer }) =>
    budgetUsdPerDay === null ? [] : [{ ...payer, cap: nanoDollars(budgetUsdPerDay) }],
  );
  const { price, model } = call;
  if (price === null) {
    const strict = budgets.find(({ allowUnknownPrice }) => !allowUnknownPrice);
    if (strict === undefined) return null;
    throw new GatewayError(
      'BAD_INPUT',
      `model "${model}" has no known price, and ${strict.label} has a budget: set its price in the configuration, or let the key use such models (allowUnknownPrice).`,
    );
  }
  if (budgets.length === 0) return null;
  const output = call.maxOutputTokens ?? call.modelMaxOutputTokens;
  const bound = output ?? usualMaxOutputTokens;
  const inputTokens = Math.max(call.inputTokens, call.inputBound ?? 0);
  const { inputUsdPerMillion, cachedInputUsdPerMillion } = price;
  const dearest = { ...price, inputUsdPerMillion: Math.max(inputUsdPerMillion, cachedInputUsdPerMillion) };
  const amount = costOf({ inputTokens, cachedInputTokens: 0, outputTokens: bound * call.choices }, dearest);
  if (amount === 0) return null;
  const accounts = budgets.map(({ name, cap }) => ({ name, cap }));
  const outcome = await holds.take({ tenant: call.tenant, resource: 'NANO_DOLLARS', accounts, amount }, signal);
  if (!outcome.granted) throw exceeded(outcome, budgets, amount);
  return { maxOutputTokens: output === null ? bound : null, settle: outcome.settle };
}

function exceeded(
  { accounts, renewsAt }: Refused,
  budgets: readonly { readonly name: string; readonly label: string; readonly cap: number }[],
  amount: number,
): GatewayError {
  const states = budgets.map((budget) => {
    const { used = 0, held = 0 } = accounts.find(({ name }) => name === budget.name) ?? {};
    return { ...budget, used, held };
  });
  // Where several were refused together it may be that none of them alone lacked the room: the fullest one then.
  const [fullest] = states.sort(
    (left, right) => left.cap - left.used - left.held - (right.cap - right.used - right.held),
  );
  const { label = 'the key', cap = 0, used = 0, held = 0 } = fullest ?? {};
  const renewal = renewsAt?.toISOString() ?? 'midnight UTC';
  return new GatewayError(
    'BUDGET_EXCEEDED',
    `${label} has a budget of ${shownUsd(cap)} a day: ${shownUsd(used)} is spent, ${shownUsd(held)} is set aside for calls under way, and this call may cost up to ${shownUsd(amount)}. The budget renews at ${renewal}.`,
    renewsAt === null
      ? {}
      : { details: { retryAfterMs: Math.max(0, renewsAt.getTime() - Date.now()), renewsAt: renewal } },
  );
}
