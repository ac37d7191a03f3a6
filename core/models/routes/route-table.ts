import { LRUCache } from 'lru-cache';
import { GatewayError } from '../../contracts/gateway-error.ts';
import type { Capability } from '../../contracts/model-provider.ts';
import type { Catalogue, CatalogueEntry } from '../catalogue/catalogue.ts';
import type { ProviderOptions } from '../models-options.ts';
import { nearestName } from './nearest.ts';
import { routeFaults } from './route-faults.ts';
import type { RouteOptions } from './route-options.ts';

/** Names are the clients' to choose. */
const mostPlans = 1_000;

/** Where a name leads. */
export interface Plan {
  /** As it was asked for, or the model's bare name. */
  readonly name: string;
  /** Null: the name is a model's. */
  readonly route: RouteOptions | null;
  readonly choices: readonly [Choice, ...Choice[]];
}

export interface Choice {
  readonly entry: CatalogueEntry;
  readonly weight: number;
}

/** Names of routes and of models, in one. A route goes before a model of the same name. */
export class RouteTable {
  readonly #routes: ReadonlyMap<string, RouteOptions>;
  readonly #catalogue: Catalogue;
  /** A call looks its name up half a dozen times. */
  readonly #plans = new LRUCache<string, Plan>({ max: mostPlans });
  #plannedFor = 0;

  /** Throws BAD_INPUT with every fault of the routes. */
  constructor(routes: readonly RouteOptions[], providers: readonly ProviderOptions[], catalogue: Catalogue) {
    const known = providers.map(({ provider, closed, chatModel, embeddingModel, models = [] }) => {
      const names = [chatModel, embeddingModel, ...models.map(({ name }) => name)].filter((name) => name !== null);
      return { name: provider.name, models: closed === true || !provider.generative ? names : null };
    });
    const issues = routeFaults(routes, known).map(({ path, message }) => `routes.${path.join('.')}: ${message}`);
    if (issues.length > 0) throw new GatewayError('BAD_INPUT', issues.join('; '), { details: { issues } });
    this.#routes = new Map(routes.map((route) => [route.name, route]));
    this.#catalogue = catalogue;
  }

  /** Names of the routes that this model is a target of. */
  routesOf({ name, provider }: CatalogueEntry): readonly string[] {
    const isTarget = (route: RouteOptions) =>
      route.targets.some((target) => target.provider === provider.name && target.model === name);
    return [...this.#routes.values()].filter(isTarget).map((route) => route.name);
  }

  /** BAD_INPUT for a name that leads nowhere, or to what cannot do this. */
  plan(name: string, capability: Capability): Plan {
    if (this.#plannedFor !== this.#catalogue.version) {
      this.#plans.clear();
      this.#plannedFor = this.#catalogue.version;
    }
    const key = `${capability} ${name}`;
    const known = this.#plans.get(key);
    if (known !== undefined) return known;
    const plan = this.#plan(name, capability);
    this.#plans.set(key, plan);
    return plan;
  }

  #plan(name: string, capability: Capability): Plan {
    const route = this.#routes.get(name);
    if (route !== undefined) {
      const [first, ...others] = route.targets.map(({ provider, model, weight = 1 }): Choice => {
        return { entry: able(this.#catalogue.of(provider, model), capability), weight };
      });
      // Cannot be: the constructor refuses a route without targets. The check is for the type.
      if (first === undefined) throw new GatewayError('INTERNAL', `route ${name} has no targets`);
      return { name, route, choices: [first, ...others] };
    }
    const entry = this.#catalogue.find(name);
    if (this.#catalogue.isClosedTo(name)) throw this.#unknown(name, `${entry.provider.name} offers no other models`);
    const meant = this.#routes.size > 0 && this.#catalogue.isUnheardOf(name) ? this.#nearest(name) : null;
    if (meant !== null && this.#routes.has(meant)) {
      throw this.#unknown(name, `for a model of this name write "${entry.provider.name}/${name}"`);
    }
    return { name: entry.name, route: null, choices: [{ entry: able(entry, capability), weight: 1 }] };
  }

  /** What to say of a name that its provider did not know either. */
  suggestion(name: string): string {
    const meant = this.#nearest(name);
    return meant === null ? '' : `; did you mean "${meant}"?`;
  }

  #unknown(name: string, more: string): GatewayError {
    const meant = this.#nearest(name);
    const nearest = meant === null ? '' : `; the nearest name is "${meant}"`;
    return new GatewayError('BAD_INPUT', `no model or route is called "${name}"${nearest}; ${more}`);
  }

  #nearest(name: string): string | null {
    return nearestName(name, [...this.#routes.keys(), ...this.#catalogue.names]);
  }
}

function able(entry: CatalogueEntry, capability: Capability): CatalogueEntry {
  if (!entry.cannot(capability)) return entry;
  const can = entry.capabilities.join(', ') || 'nothing that is offered here';
  throw new GatewayError(
    'BAD_INPUT',
    `model "${entry.name}" of ${entry.provider.name} was asked for ${capability}, it can ${can}`,
  );
}
