import type { EmbedReply } from '../../contracts/model-provider.ts';
import type { CallBounds } from '../calls/call-bounds.ts';
import type { EmbeddedText } from '../models.ts';
import type { Price, UsageMeter } from '../usage/usage-meter.ts';
import { type EmbeddingCall, type EmbeddingPart, payerOf, tokensOf } from './embedding-job.ts';

export function embeddingCall({ jobs, hunt }: EmbeddingPart, bounds: CallBounds): EmbeddingCall {
  const waiters = jobs.map((job) => [...job.waiters]);
  const call: EmbeddingCall = {
    jobs,
    hunt,
    bounds,
    callers: new Set(waiters.flat().map(({ caller }) => caller)),
    payers: waiters.flatMap(([first]) => (first === undefined ? [] : [first.bill])),
    reservations: new Map(),
    wanted: jobs.length,
  };
  for (const job of jobs) {
    job.state = 'CALLED';
    job.call = call;
  }
  return call;
}

/**
 * What is sent again when the whole was refused: the texts of each caller apart, and those of one caller in halves, until
 * each refused text stands alone. Empty where the refusal stands: for a single text, and once so many parts were refused
 * that it is hardly a text's fault.
 */
export function partsOfRefused(call: EmbeddingCall): EmbeddingPart[] {
  const wanted = call.jobs.filter(({ waiters }) => waiters.size > 0);
  const ofCallers = [...Map.groupBy(wanted, ({ waiters }) => waiters.values().next().value?.caller).values()];
  if (ofCallers.length > 1) return ofCallers.map((jobs) => ({ jobs, hunt: null }));
  if (wanted.length < 2) return [];
  // One refused text is found with as many refusals as the texts can be halved.
  const hunt = call.hunt ?? { refused: 0, answered: 0, patience: Math.ceil(Math.log2(wanted.length)) + 1 };
  hunt.refused += 1;
  if (hunt.refused > hunt.patience + hunt.answered) return [];
  const middle = Math.ceil(wanted.length / 2);
  return [wanted.slice(0, middle), wanted.slice(middle)].map((jobs) => ({ jobs, hunt }));
}

/**
 * Bills a finished call: each payer once, with the tokens of its own texts. The provider's count is split by what our
 * tokenizer counted per text; with none sent (0 for a text that is not empty is none), our counts stand as estimates.
 */
export function billEmbeddings(call: EmbeddingCall, reply: EmbedReply, price: Price | null): readonly EmbeddedText[] {
  const weights = call.jobs.map(tokensOf);
  const sent = reply.tokens === null || reply.tokens === 0 ? null : reply.tokens;
  const shares = sent === null ? weights : shareTokens(sent, weights);
  const bills = new Map<UsageMeter, number>();
  const reserved = new Map<string, number>();
  const embedded = reply.vectors.map((vector, index) => {
    const tokens = shares[index] ?? 0;
    const bill = call.payers[index];
    if (bill === undefined) return { vector, tokens };
    bills.set(bill.meter, (bills.get(bill.meter) ?? 0) + tokens);
    reserved.set(payerOf(bill), (reserved.get(payerOf(bill)) ?? 0) + tokens);
    return { vector, tokens };
  });
  for (const [meter, inputTokens] of bills) {
    meter.add({ inputTokens, cachedInputTokens: 0, outputTokens: 0 }, price, sent === null);
  }
  for (const [payer, inputTokens] of reserved) {
    call.reservations.get(payer)?.settle({ inputTokens, cachedInputTokens: 0, outputTokens: 0 });
  }
  return embedded;
}

/** In whole tokens whose sum is exactly `total`. */
function shareTokens(total: number, weights: readonly number[]): readonly number[] {
  const sum = weights.reduce((all, weight) => all + weight, 0);
  let weighed = 0;
  let given = 0;
  return weights.map((weight) => {
    weighed += weight;
    const upTo = sum === 0 ? 0 : Math.round((total * weighed) / sum);
    const share = upTo - given;
    given = upTo;
    return share;
  });
}
