import { GatewayError } from '../contracts/gateway-error.ts';
import type { ProfileRecord, ProfileStore } from '../contracts/profile-store.ts';
import { assertStorable, normaliseText } from '../text/normalise.ts';
import { assertStorableJson } from '../text/storable-json.ts';

export interface ProfileInput {
  readonly externalId: string;
  /** Null: as they were. */
  readonly interests: readonly string[] | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
}

const mostInterests = 32;
const longestInterest = 200;

export async function upsertProfile(
  { profiles }: { readonly profiles: ProfileStore },
  tenant: string,
  { externalId, interests, metadata }: ProfileInput,
): Promise<ProfileRecord> {
  checkExternalId(externalId);
  const words = interests === null ? null : checkInterests(interests);
  if (metadata !== null) assertStorableJson(metadata, 'metadata', { maxChars: 100_000, maxDepth: 50 });
  return profiles.upsert(tenant, { externalId, interests: words, metadata });
}

export function checkExternalId(externalId: string): void {
  if (externalId === '' || externalId.length > 500) {
    throw new GatewayError('BAD_INPUT', `externalId must be 1–500 characters, got ${externalId.length}.`);
  }
  assertStorable(externalId, 'externalId');
}

/** Each once, in the order they came. */
function checkInterests(interests: readonly string[]): string[] {
  if (interests.length > mostInterests) {
    throw new GatewayError('BAD_INPUT', `interests must hold at most ${mostInterests} texts, got ${interests.length}.`);
  }
  const words = interests.map((interest, index) => {
    const name = `interests[${index}]`;
    assertStorable(interest, name);
    const text = normaliseText(interest).trim();
    if (text === '') throw new GatewayError('BAD_INPUT', `${name} must hold at least one word, got an empty text.`);
    if (text.length > longestInterest) {
      throw new GatewayError('BAD_INPUT', `${name} must be at most ${longestInterest} characters, got ${text.length}.`);
    }
    return text;
  });
  return [...new Set(words)];
}
