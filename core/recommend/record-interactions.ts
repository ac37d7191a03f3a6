import { randomUUID } from 'node:crypto';
import type { Clock } from '../contracts/clock.ts';
import type { CollectionStore } from '../contracts/collection-store.ts';
import { GatewayError } from '../contracts/gateway-error.ts';
import type { InteractionKind, NewInteraction, ProfileStore } from '../contracts/profile-store.ts';
import { collectionNotFound } from '../search/search.ts';
import { assertStorable, isStorable } from '../text/normalise.ts';
import { popularityLevel } from './popularity.ts';
import { profileNotFound } from './recommend.ts';

export interface InteractionInput {
  /** Null: it has none, and cannot be sent again. */
  readonly id: string | null;
  readonly externalId: string;
  readonly kind: InteractionKind;
  /** Null: now. */
  readonly at: Date | null;
}

/** Why an interaction was not recorded; the others were. */
export interface InteractionFailure {
  /** Its place in the input. */
  readonly index: number;
  readonly externalId: string;
  readonly message: string;
}

export interface RecordedInteractions {
  readonly recorded: number;
  readonly failures: readonly InteractionFailure[];
}

interface RecordServices {
  readonly profiles: ProfileStore;
  readonly collections: CollectionStore;
  readonly clock: Clock;
  readonly limits: { readonly maxInteractions: number };
}

/** Clocks of apps are not ours. */
const clockSkewMs = 5 * 60_000;

/** Records what can be recorded, and names the rest. When that is all of them, it is an error. */
export async function recordInteractions(
  { profiles, collections, clock, limits }: RecordServices,
  tenant: string,
  input: { readonly profileId: string; readonly in: string; readonly interactions: readonly InteractionInput[] },
  signal: AbortSignal,
): Promise<RecordedInteractions> {
  const { length } = input.interactions;
  if (length === 0 || length > limits.maxInteractions) {
    throw new GatewayError(
      'BAD_INPUT',
      `interactions must hold 1–${limits.maxInteractions} interactions (limits.maxInteractions), got ${length}.`,
    );
  }
  assertStorable(input.in, 'in');
  const [collection] = await collections.byNames(tenant, [input.in], signal);
  if (collection === undefined) throw collectionNotFound(input.in);
  const nowMs = clock.now();
  const faults = input.interactions.map((interaction) => faultOf(interaction, nowMs));
  const sound = input.interactions.filter((_, index) => faults[index] === null);
  const { profileId } = input;
  const interactions = [...byId(sound.map((interaction) => newInteraction(interaction, nowMs))).values()];
  const written = await profiles.record(tenant, { profileId, collectionId: collection.id, interactions });
  if (written === null) throw profileNotFound();
  const unknown = new Set(written.unknown);
  const failures = input.interactions.flatMap(({ externalId }, index): InteractionFailure[] => {
    const message = faults[index] ?? (unknown.has(externalId) ? unknownDocument(externalId, input.in) : null);
    return message === null ? [] : [{ index, externalId: printable(externalId), message }];
  });
  if (failures.length === length) throw noneRecorded(failures);
  return { recorded: written.recorded, failures };
}

function newInteraction({ id, externalId, kind, at }: InteractionInput, nowMs: number): NewInteraction {
  const when = new Date(Math.min(at?.getTime() ?? nowMs, nowMs));
  return { id: id ?? randomUUID(), externalId, kind, at: when, popularity: popularityLevel(kind, when) };
}

/** Of interactions with one id the first counts, as if they had been sent one after the other. */
function byId(interactions: readonly NewInteraction[]): Map<string, NewInteraction> {
  return new Map(interactions.toReversed().map((interaction) => [interaction.id, interaction]));
}

function faultOf({ externalId, at }: InteractionInput, nowMs: number): string | null {
  if (!isStorable(externalId)) return 'externalId must be text that can be stored.';
  if (at === null) return null;
  if (at.getTime() > nowMs + clockSkewMs) return `at must not lie in the future, got ${at.toISOString()}.`;
  return at.getTime() < 0 ? `at must be 1970 or later, got ${at.toISOString()}.` : null;
}

const unknownDocument = (externalId: string, collection: string): string =>
  `There is no document "${externalId.slice(0, 100)}" in the collection "${collection}".`;

function noneRecorded(failures: readonly InteractionFailure[]): GatewayError {
  const messages = [...new Set(failures.map(({ message }) => message))];
  const shown = messages.slice(0, 3).join(' ');
  const rest = messages.length > 3 ? ` And ${messages.length - 3} more.` : '';
  return new GatewayError('BAD_INPUT', `None of the interactions could be recorded: ${shown}${rest}`);
}

/** The failing id itself may be what cannot be stored. */
const printable = (externalId: string): string => externalId.slice(0, 500).toWellFormed().replaceAll('\0', '\uFFFD');
