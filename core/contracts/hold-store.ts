/** What is bounded: billionths of a US dollar in a UTC day, or runs at the same time. */
export type Resource = 'NANO_DOLLARS' | 'RUNS';

/** Whoever has a bound: one API key, by its id, or a whole tenant, by the empty name. */
export interface Account {
  readonly name: string;
  /** In units of the resource; an integer. */
  readonly cap: number;
}

export interface HoldRequest {
  readonly tenant: string;
  readonly resource: Resource;
  /** All of them must bear each hold. At least one. */
  readonly accounts: readonly Account[];
  /** Whose holds they are: when it dies, they are given back. */
  readonly instance: string;
  /** In order of arrival; `id` is new in the tenant, `amount` an integer of at least 0. */
  readonly holds: readonly { readonly id: string; readonly amount: number }[];
}

export interface HoldAnswer {
  /** By the place of each hold in the request. One that does not fit does not keep a smaller one behind it out. */
  readonly granted: readonly boolean[];
  /** As it was before the request, in no particular order. */
  readonly accounts: readonly AccountState[];
  /** When what was used today counts no more; null where nothing is counted by day. */
  readonly renewsAt: Date | null;
}

export interface AccountState {
  readonly name: string;
  readonly used: number;
  readonly held: number;
}

export interface Settlement {
  readonly tenant: string;
  readonly id: string;
  /** What was really used of the hold, or beyond it. */
  readonly used: number;
}

/**
 * Amounts that are set aside before they are used, against the bounds of those who use them: exact over all instances. An account
 * is what was used and what is held; a hold is granted when both together stay within the cap. What counts by day counts for the
 * day in which it was held, by the store's own clock.
 */
export interface HoldStore {
  /** Decides on all holds at once, atomically. */
  hold(request: HoldRequest, signal?: AbortSignal): Promise<HoldAnswer>;
  /**
   * Ends holds: what was used is counted, the rest is given back. Settling again, or a hold that is not there, changes nothing. One
   * that was reclaimed meanwhile, since its instance seemed dead, is counted all the same.
   */
  settle(settlements: readonly Settlement[]): Promise<void>;
  /**
   * Gives back what instances held whose lease has expired: runs at once, since others take them over; dollars `callMs` later, when
   * no call of theirs can be under way any more, since an instance may live that seems dead. Those of an instance that has left, or
   * is known to be dead, come back at once. Resolves to how many holds those were.
   */
  reclaim(callMs: number): Promise<number>;
  /** Removes what nobody asks for any more: accounts of days that are long over, and reclaimed holds a day later. */
  forget(): Promise<void>;
}
