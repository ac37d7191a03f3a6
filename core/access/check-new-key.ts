import type { KeyLimits, Scope } from '../contracts/api-key-store.ts';
import { GatewayError } from '../contracts/gateway-error.ts';
import { assertStorable } from '../text/normalise.ts';

export interface NewKeyInput {
  readonly name: string;
  readonly tenant: string;
  readonly scopes: readonly Scope[];
  readonly limits: KeyLimits;
  readonly allowUnknownPrice: boolean;
  readonly expiresAt: Date | null;
}

const maxNameChars = 100;
const tenantShape = /^[A-Za-z0-9][\w.-]{0,99}$/;
/** The greatest Int of GraphQL, as which it is shown. */
const maxCount = 2 ** 31 - 1;
const maxUsd = 1e9;

/** BAD_INPUT that names the value. */
export function checkNewKey({ name, tenant, scopes, limits, expiresAt }: NewKeyInput, nowMs: number): void {
  assertStorable(name, 'name');
  if (name.trim() === '' || name.length > maxNameChars || /\p{Cc}/u.test(name)) {
    throw badInput(`name must be 1–${maxNameChars} characters without line breaks, got ${shown(name)}`);
  }
  if (!tenantShape.test(tenant)) {
    throw badInput(
      `tenant must be 1–100 letters, digits, ".", "_" or "-", the first a letter or digit, got ${shown(tenant)}`,
    );
  }
  if (scopes.length === 0) throw badInput('scopes must name at least one scope, got none');
  for (const limit of ['requestsPerMinute', 'tokensPerMinute', 'maxConcurrentRuns'] as const) {
    const value = limits[limit];
    if (value !== null && !(Number.isInteger(value) && value >= 1 && value <= maxCount)) {
      throw badInput(`limits.${limit} must be a whole number, 1–${maxCount}, got ${value}`);
    }
  }
  const { budgetUsdPerDay } = limits;
  if (budgetUsdPerDay !== null && !(budgetUsdPerDay > 0 && budgetUsdPerDay <= maxUsd)) {
    throw badInput(`limits.budgetUsdPerDay must be above 0 and at most ${maxUsd}, got ${budgetUsdPerDay}`);
  }
  if (expiresAt !== null && !(expiresAt.getTime() > nowMs)) {
    throw badInput(`expiresAt must be in the future, got ${expiresAt.toISOString()}`);
  }
}

const badInput = (message: string): GatewayError => new GatewayError('BAD_INPUT', `${message}.`);

/** Short, and on one line. */
function shown(text: string): string {
  return text.length <= 60
    ? JSON.stringify(text)
    : `${JSON.stringify(text.slice(0, 60).toWellFormed())}… (${text.length} characters)`;
}
