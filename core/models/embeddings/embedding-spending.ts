import type { Spending } from '../../contracts/spending.ts';
import type { Price } from '../usage/usage-meter.ts';
import { type EmbeddingCall, type EmbeddingJob, payerOf, sumOfTokens } from './embedding-job.ts';

/** A text whose payer has not enough left. */
export interface RefusedShare {
  readonly job: EmbeddingJob;
  readonly payer: string;
  readonly error: unknown;
}

interface Parts {
  readonly model: string;
  readonly price: Price | null;
  readonly spending: Spending | undefined;
}

/**
 * Sets aside what each payer's texts of a call may cost, before it is made. The texts of those who cannot pay are taken out of the
 * call: one that has nothing left must not fail its neighbours.
 */
export async function reserveShares(
  call: EmbeddingCall,
  { spending, model, price }: Parts,
): Promise<readonly RefusedShare[]> {
  if (spending === undefined) return [];
  const shares = [...Map.groupBy(call.jobs.keys(), (place) => payerAt(call, place))];
  const refusals = await Promise.all(
    shares.map(async ([payer, places]) => {
      const bill = call.payers[places[0] ?? 0];
      if (bill === undefined) return [];
      const jobs = places.flatMap((place) => call.jobs[place] ?? []);
      const planned = {
        tenant: bill.tenant,
        payer: bill.payer,
        ...{ model, price },
        get inputTokens() {
          return sumOfTokens(jobs);
        },
        ...{ inputBound: null, maxOutputTokens: 0, modelMaxOutputTokens: null, choices: 1 },
      };
      try {
        call.reservations.set(payer, await spending.reserve(planned, call.bounds.signal));
        return [];
      } catch (error) {
        return jobs.map((job): RefusedShare => ({ job, payer, error }));
      }
    }),
  );
  const refused = refusals.flat();
  if (refused.length === 0) return [];
  const out = new Set(refused.map(({ job }) => job));
  const kept = call.jobs.flatMap((job, place) => {
    const bill = call.payers[place];
    return out.has(job) || bill === undefined ? [] : [{ job, bill }];
  });
  call.jobs = kept.map(({ job }) => job);
  call.payers = kept.map(({ bill }) => bill);
  return refused;
}

function payerAt({ payers }: EmbeddingCall, place: number): string {
  const bill = payers[place];
  return bill === undefined ? '' : payerOf(bill);
}
