import type { Target } from '../targets/target.ts';
import type { Price } from '../usage/usage-meter.ts';
import type { RoutePolicy } from './route-options.ts';

export interface Candidate {
  readonly target: Target;
  readonly weight: number;
}

/** So often `fastest` tries another one first: or it would never learn that a slow one has become fast. */
const explorationShare = 0.05;
/** Prompts are longer than replies, about so many times. */
const inputPerOutput = 3;

/** In which order a call tries the targets of its route. */
export function inOrder(policy: RoutePolicy, candidates: readonly Candidate[], random: () => number): Target[] {
  switch (policy) {
    case 'fallback':
      return candidates.map(({ target }) => target);
    case 'weighted':
      return drawn(candidates, random);
    case 'cheapest':
      return sorted(candidates, ({ entry }) => priceOf(entry.price));
    case 'fastest':
      return explored(
        // What was never called may be the fastest.
        sorted(candidates, ({ speed }) => speed.averageMs ?? 0),
        random,
      );
  }
}

/** By lot without replacement: the chance to come first is the share of the weight. */
function drawn(candidates: readonly Candidate[], random: () => number): Target[] {
  const left = [...candidates];
  const order: Target[] = [];
  while (left.length > 0) {
    let point = random() * left.reduce((sum, { weight }) => sum + weight, 0);
    const hit = left.findIndex(({ weight }) => {
      point -= weight;
      return point < 0;
    });
    // Rounding may leave the last crumb of the sum to nobody.
    const [next] = left.splice(hit < 0 ? left.length - 1 : hit, 1);
    if (next !== undefined) order.push(next.target);
  }
  return order;
}

function sorted(candidates: readonly Candidate[], measure: (target: Target) => number): Target[] {
  return candidates.map(({ target }) => target).toSorted((one, other) => compare(measure(one), measure(other)));
}

const compare = (one: number, other: number): number => (one === other ? 0 : one < other ? -1 : 1);

function explored(order: Target[], random: () => number): Target[] {
  if (order.length < 2 || random() >= explorationShare) return order;
  const [chosen] = order.splice(1 + Math.floor(random() * (order.length - 1)), 1);
  return chosen === undefined ? order : [chosen, ...order];
}

/** An unknown price goes last. */
function priceOf(price: Price | null): number {
  return price === null
    ? Number.POSITIVE_INFINITY
    : inputPerOutput * price.inputUsdPerMillion + price.outputUsdPerMillion;
}
