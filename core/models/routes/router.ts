import { GatewayError } from '../../contracts/gateway-error.ts';
import type { InputTokens, Job } from '../calls/job.ts';
import type { CatalogueEntry } from '../catalogue/catalogue.ts';
import type { Try } from '../targets/provider-call.ts';
import type { Target } from '../targets/target.ts';
import { HedgeBudgets, hedged } from './hedge.ts';
import { type Candidate, inOrder } from './order.ts';
import type { Choice, Plan, RouteTable } from './route-table.ts';
import { type TryOptions, tryTargets } from './try-targets.ts';

/** One generation on its way, as far as the choice of its targets goes. */
export interface Routed {
  readonly job: Job;
  readonly plan: Plan;
  readonly input: InputTokens;
}

/** How a provider is called, and what becomes of an answer that comes too late. */
export interface Attempts<T> {
  make(target: Target, how: Try): Promise<T>;
  discard(answer: T): void;
}

/** Who answered, and who else might. */
export interface Answered<T> {
  readonly value: T;
  readonly target: Target;
  /** The other targets of the same route, in their order. */
  readonly others: readonly Target[];
}

export interface RouterParts {
  readonly table: RouteTable;
  readonly targetOf: (entry: CatalogueEntry) => Target;
  readonly random: () => number;
  readonly options: TryOptions;
}

/** Takes a generation to the targets of its route, in the order of the route's policy, until one answers. */
export class Router {
  readonly #parts: RouterParts;
  readonly #hedges = new HedgeBudgets();

  constructor(parts: RouterParts) {
    this.#parts = parts;
  }

  answer<T>(routed: Routed, attempts: Attempts<T>): Promise<Answered<T>> {
    const { job, plan } = routed;
    if (plan.route !== null) return this.#byRoute(routed, attempts);
    const targets = this.#order(plan, plan.choices);
    return this.#among(job, targets, job.bounds.signal, attempts).catch((error: unknown) => {
      throw this.#withSuggestion(error, plan);
    });
  }

  /** A prompt that is too long for a route goes on to its `largerContext`. */
  async #byRoute<T>(routed: Routed, attempts: Attempts<T>): Promise<Answered<T>> {
    for (let { plan } = routed; ; ) {
      const choices = fitting(plan, routed);
      const larger = this.#larger(plan);
      if (choices.length > 0 || larger === null) {
        try {
          const targets = this.#order(plan, choices.length > 0 ? choices : plan.choices);
          return await this.#hedged(routed.job, plan, targets, attempts);
        } catch (error) {
          const isTooLong = error instanceof GatewayError && error.upstreamFault === 'CONTEXT_LENGTH';
          if (!isTooLong || larger === null) throw this.#withSuggestion(error, plan);
        }
      }
      plan = larger;
    }
  }

  /** After a stream broke in its middle: the other targets, of which each begins the text again. */
  takeOver<T>(
    { job }: Routed,
    { from, error, to }: { readonly from: Target; readonly error: GatewayError; readonly to: readonly Target[] },
    attempts: Attempts<T>,
  ): Promise<Answered<T>> {
    const [next] = to;
    if (next !== undefined) this.#parts.options.observer?.fellBack(from.site(job), next.site(job), error.code, true);
    return this.#among(job, to, job.bounds.signal, attempts);
  }

  #hedged<T>(job: Job, { route }: Plan, targets: readonly Target[], attempts: Attempts<T>): Promise<Answered<T>> {
    if (route?.hedge === undefined) return this.#among(job, targets, job.bounds.signal, attempts);
    return hedged({
      ...{ job, targets, hedge: route.hedge },
      budget: this.#hedges.of(route, route.hedge),
      answer: (some, signal) => this.#among(job, some, signal, attempts),
      discard: ({ value }) => attempts.discard(value),
    });
  }

  #among<T>(job: Job, targets: readonly Target[], signal: AbortSignal, { make }: Attempts<T>): Promise<Answered<T>> {
    const tried = (target: Target, how: Try): Promise<Answered<T>> =>
      make(target, how).then((value) => ({ value, target, others: targets.filter((other) => other !== target) }));
    return tryTargets(job, targets, signal, tried, this.#parts.options);
  }

  #larger({ route }: Plan): Plan | null {
    return route?.largerContext === undefined ? null : this.#parts.table.plan(route.largerContext, 'CHAT');
  }

  #order({ route }: Plan, choices: readonly Choice[]): readonly Target[] {
    const { targetOf, random } = this.#parts;
    const candidates = choices.map(({ entry, weight }): Candidate => ({ target: targetOf(entry), weight }));
    return inOrder(route?.policy ?? 'fallback', candidates, random);
  }

  /** Of a name that only the provider could know, and did not. */
  #withSuggestion(error: unknown, { route, name }: Plan): unknown {
    if (!(error instanceof GatewayError) || error.upstreamFault !== 'UNKNOWN_MODEL' || route !== null) return error;
    const { code, message, details, upstreamFault } = error;
    const suggestion = this.#parts.table.suggestion(name);
    return new GatewayError(code, `${message}${suggestion}`, { details, upstreamFault, cause: error });
  }
}

/** Those that are not known to be too small, for the prompt or for the output that is asked for. */
function fitting({ choices, route }: Plan, { input, job }: Routed): readonly Choice[] {
  if (route === null) return choices;
  const output = job.maxOutputTokens;
  return choices.filter(({ entry: { contextWindow, maxOutputTokens } }) => {
    if (output !== null && maxOutputTokens !== null && output > maxOutputTokens) return false;
    return contextWindow === null || input.areAtMost(contextWindow - (output ?? 0));
  });
}
