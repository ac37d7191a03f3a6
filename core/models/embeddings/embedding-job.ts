import { hash } from 'node:crypto';
import type { Reservation } from '../../contracts/spending.ts';
import { countTokens } from '../../text/tokens.ts';
import type { CallBounds } from '../calls/call-bounds.ts';
import type { EmbeddedText } from '../models.ts';
import type { UsageMeter } from '../usage/usage-meter.ts';

/**
 * Who asks, as fairness and cancelling see it: everything that was asked for under one AbortSignal, that is one operation or
 * one run. One abort listener serves it all: ten thousand on one signal would each be searched for among all others.
 */
export interface Caller {
  readonly signal: AbortSignal;
  readonly waiters: Set<Waiter>;
  onAbort(): void;
  /** Runs what is done for it where it asked: in its trace. */
  readonly inItsContext: <T>(work: () => T) => T;
  /** Provider calls under way that hold texts of this caller. */
  callsInFlight: number;
}

/** Who pays for a text. */
export interface Bill {
  readonly meter: UsageMeter;
  readonly tenant: string;
  /** The id of the API key. */
  readonly payer: string | null;
}

/** One `embed()` that has not been answered. */
export interface Waiter {
  readonly job: EmbeddingJob;
  readonly caller: Caller;
  readonly bill: Bill;
  readonly deadline: NodeJS.Timeout;
  resolve(embedded: EmbeddedText): void;
  reject(error: unknown): void;
}

/** One text to embed, however many wait for it. */
export interface EmbeddingJob {
  /** Tenant and hash of the text: what may be shared. */
  readonly key: string;
  readonly tenant: string;
  readonly text: string;
  /** By our tokenizer, once it was asked for: see `tokensOf`. */
  tokens: number | null;
  readonly waiters: Set<Waiter>;
  /** DROPPED: nobody waits for it. CALLED without a `call`: to be sent again, apart from its neighbours. */
  state: 'WAITING' | 'CALLED' | 'DROPPED';
  call: EmbeddingCall | null;
}

/** The search for what was refused in one refused call, shared by all parts of it. */
export interface Hunt {
  /** Parts of several texts. */
  refused: number;
  answered: number;
  readonly patience: number;
}

/** By tenant and key; null: they have no limit. */
export type ReservedShares = Map<string, Reservation | null>;

export const payerOf = ({ tenant, payer }: Bill): string => `${payer ?? ''} ${tenant}`;

/** Texts that go together. */
export interface EmbeddingPart {
  readonly jobs: readonly EmbeddingJob[];
  /** Null unless they are sent again. */
  readonly hunt: Hunt | null;
}

/** One provider call. */
export interface EmbeddingCall extends EmbeddingPart {
  /** Without those whose payers had not enough left. */
  jobs: readonly EmbeddingJob[];
  readonly callers: ReadonlySet<Caller>;
  /** Who pays for each text: its first waiter when the call began, also when that one has left since. */
  payers: readonly Bill[];
  /** What was set aside for it, by payer. */
  readonly reservations: ReservedShares;
  readonly bounds: CallBounds;
  /** Jobs that somebody still waits for; at 0 the call is aborted. */
  wanted: number;
}

/** Weighs limits and shares. Counting takes a while: where an upper bound will do, `mostTokensOf`. */
export function tokensOf(job: EmbeddingJob): number {
  job.tokens ??= countTokens(job.text);
  return job.tokens;
}

export function sumOfTokens(jobs: readonly EmbeddingJob[]): number {
  return jobs.reduce((sum, job) => sum + tokensOf(job), 0);
}

/** A token has a byte at least. */
export const mostTokensOf = ({ text, tokens }: EmbeddingJob): number => tokens ?? Buffer.byteLength(text);

/** Tenants never share a key, so that no timing tells one what another has asked. */
export function embeddingKey(tenant: string, text: string): string {
  return `${hash('sha256', text, 'base64')} ${tenant}`;
}

export function partsOfKey(key: string): { readonly hash: string; readonly tenant: string } {
  const end = key.indexOf(' ');
  return { hash: key.slice(0, end), tenant: key.slice(end + 1) };
}
